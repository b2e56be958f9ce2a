package twenty

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// encodeOwner finds the member of the workspace whom a rep is.
func (c *CRM) encodeOwner(ctx context.Context, v galena.Value) (crm.Encoded, error) {
	const op = "twenty.encode"
	who := strings.TrimSpace(v.Text)
	if named, ok := c.config.Mapping.Owners[who]; ok {
		who = strings.TrimSpace(named)
	}
	if strings.Contains(who, "@") {
		id, err := c.Owner(ctx, who)
		switch galena.KindOf(err) {
		case "":
			return crm.Encoded{Raw: id, Norm: id}, nil
		case galena.NotFound:
			return crm.Encoded{}, galena.Errorf(galena.Invalid, op, "no member of the workspace has the address that owners names for the rep")
		}
		return crm.Encoded{}, err
	}
	if id, err := uuid.Parse(who); err == nil {
		return crm.Encoded{Raw: id.String(), Norm: id.String()}, nil
	}
	return crm.Encoded{}, galena.Errorf(galena.Invalid, op, "the file of the CRM names no member of the workspace for the rep, under owners")
}

// member is what is remembered of a member of the workspace; no id is nobody.
type member struct {
	id    string
	until time.Time
}

// Owner finds the member of the workspace who has this address, whose id an
// owner's field takes.
func (c *CRM) Owner(ctx context.Context, email string) (string, error) {
	const op = "twenty.owner"
	email = strings.ToLower(strings.TrimSpace(email))
	now := c.deps.Now()
	c.mu.Lock()
	m, ok := c.members[email]
	c.mu.Unlock()
	if !ok || !now.Before(m.until) {
		var err error
		if m, err = c.lookUpMember(ctx, op, email); err != nil {
			return "", err
		}
		m.until = now.Add(memory)
		c.mu.Lock()
		c.members[email] = m
		c.mu.Unlock()
	}
	if m.id == "" {
		return "", galena.Errorf(galena.NotFound, op, "the workspace has no such member")
	}
	return m.id, nil
}

func (c *CRM) lookUpMember(ctx context.Context, op, email string) (member, error) {
	quoted, ok := quote(email)
	if !ok || email == "" {
		return member{}, nil
	}
	found, err := c.list(ctx, op, "workspaceMembers", "userEmail[ilike]:"+quoted)
	if err != nil {
		return member{}, err
	}
	for _, r := range found {
		if at, _ := r["userEmail"].(string); strings.EqualFold(strings.TrimSpace(at), email) {
			return member{id: textOf(r["id"])}, nil
		}
	}
	return member{}, nil
}
