package cufinder

import (
	"testing"

	"github.com/galenahq/galena/providers/providertest"
)

func TestConformance(t *testing.T)        { providertest.Run(t, Spec) }
func TestRevenueConformance(t *testing.T) { providertest.Run(t, Revenue) }
func TestTechConformance(t *testing.T)    { providertest.Run(t, Tech) }
