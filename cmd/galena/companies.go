package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/intake"
	"github.com/galenahq/galena/sql"
)

type companiesCmd struct {
	Show    companiesShowCmd    `cmd:"" help:"Show by which domains a company is known, and who owns it."`
	Alias   companiesAliasCmd   `cmd:"" help:"Let a domain lead to a company: who writes from there belongs to it."`
	Unalias companiesUnaliasCmd `cmd:"" help:"Make a domain a company by itself again."`
}

type companiesShowCmd struct {
	Domain string `arg:"" help:"Any domain of the company."`
	JSON   bool   `help:"Print an object."`
}

// Help is shown by --help.
func (companiesShowCmd) Help() string { return `Example: galena companies show acme.de` }

// Run shows one company; one that nobody has heard of is an error.
func (c companiesShowCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		company, err := store.Company(ctx, intake.Written(c.Domain))
		if galena.KindOf(err) == galena.NotFound {
			return fmt.Errorf("no company is known by %s", c.Domain)
		}
		if err != nil {
			return err
		}
		names, err := store.CompanyNames(ctx, company.Domain)
		if err != nil {
			return err
		}
		return printNames(std, names, company.Owner, c.JSON)
	})
}

type companiesAliasCmd struct {
	Domain string `arg:"" help:"The domain that shall lead to the company."`
	Of     string `required:"" help:"The company, by any of its domains." placeholder:"DOMAIN"`
	Kind   string `help:"Why: ${enum}." enum:"alias,brand,former,redirect,regional" default:"alias"`
	JSON   bool   `help:"Print an object."`
}

// Help is shown by --help.
func (companiesAliasCmd) Help() string {
	return `Example: galena companies alias acme.de --of acme.com --kind regional

It is a link and a line in the audit trail: decisions that were made stay, and unalias undoes it.`
}

// Run links the domain.
func (c companiesAliasCmd) Run(ctx context.Context, std streams) error {
	env, err := configs.ReadEnv()
	if err != nil {
		return usageError{err}
	}
	rules, err := rulesOf(env.ConfigDir)
	if err != nil {
		return err
	}
	judge, err := judgeOf(rules, env)
	if err != nil {
		return err
	}
	l, err := c.link(judge)
	if err != nil {
		return usageError{err}
	}
	return withStore(ctx, std, func(store *sql.Store) error {
		names, err := store.LinkDomain(ctx, l)
		if err != nil {
			return err
		}
		return printNames(std, names, "", c.JSON)
	})
}

func (c companiesAliasCmd) link(judge *intake.Judge) (galena.DomainLink, error) {
	domain, err := judge.CompanyDomain(c.Domain)
	if err != nil {
		return galena.DomainLink{}, fmt.Errorf("%s: %w", c.Domain, err)
	}
	company, err := judge.CompanyDomain(c.Of)
	if err != nil {
		return galena.DomainLink{}, fmt.Errorf("%s: %w", c.Of, err)
	}
	if domain == company {
		return galena.DomainLink{}, fmt.Errorf("%s is the company itself", domain)
	}
	return galena.DomainLink{Domain: domain, Company: company, Kind: c.Kind, By: "cli"}, nil
}

type companiesUnaliasCmd struct {
	Domain string `arg:"" help:"The domain that shall lead nowhere."`
	JSON   bool   `help:"Print an object."`
}

// Help is shown by --help.
func (companiesUnaliasCmd) Help() string { return `Example: galena companies unalias acme.de` }

// Run undoes the link.
func (c companiesUnaliasCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		names, err := store.UnlinkDomain(ctx, intake.Written(c.Domain), "", "cli")
		if err != nil {
			return err
		}
		return printNames(std, names, "", c.JSON)
	})
}

// namesLine is a company's names as programs read them.
type namesLine struct {
	Domain  string      `json:"domain"`
	Owner   string      `json:"owner,omitempty"`
	Aliases []aliasLine `json:"aliases"`
}

type aliasLine struct {
	Domain string `json:"domain"`
	Kind   string `json:"kind"`
}

func printNames(std streams, names galena.CompanyNames, owner string, asJSON bool) error {
	line := namesLine{Domain: names.Domain, Owner: owner, Aliases: []aliasLine{}}
	for _, a := range names.Aliases {
		line.Aliases = append(line.Aliases, aliasLine{a.Domain, a.Kind})
	}
	if asJSON {
		return json.NewEncoder(std.Out).Encode(line)
	}
	fmt.Fprintln(std.Out, line.Domain)
	if owner != "" {
		fmt.Fprintln(std.Out, "  owned by", owner)
	}
	for _, a := range line.Aliases {
		fmt.Fprintf(std.Out, "  %s (%s)\n", a.Domain, a.Kind)
	}
	return nil
}
