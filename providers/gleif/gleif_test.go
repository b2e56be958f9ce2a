package gleif

import (
	"testing"

	"github.com/galenahq/galena/providers/providertest"
)

func TestConformance(t *testing.T) { providertest.Run(t, Spec) }
