package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

type usersCmd struct {
	Add    usersAddCmd    `cmd:"" help:"Add a person, or give one a new password."`
	List   usersListCmd   `cmd:"" help:"List who may open the pages."`
	Remove usersRemoveCmd `cmd:"" help:"Remove a person."`
}

type usersAddCmd struct {
	Name          string `arg:"" help:"Name to log in with."`
	Role          string `help:"rep, ops or admin." enum:"rep,ops,admin" default:"rep"`
	PasswordStdin bool   `help:"Read the password from standard input instead of making one up."`
}

// Help is shown by --help.
func (usersAddCmd) Help() string {
	return `Example: galena users add ana.souza --role rep

Prints the password once. It is never an argument: arguments are visible to others.`
}

// minPassword is what a person may choose at the least.
const minPassword = 12

// Run adds a person.
func (c usersAddCmd) Run(ctx context.Context, std streams) error {
	// A rep without a name would speak for whoever has the lead.
	if c.Name == "" || strings.TrimSpace(c.Name) != c.Name {
		return usageError{errors.New("the name must be there, and neither begin nor end with a blank")}
	}
	password, made := rand.Text(), true
	if c.PasswordStdin {
		line, err := bufio.NewReader(std.In).ReadString('\n')
		if err != nil && line == "" {
			return usageError{errors.New("no password on standard input")}
		}
		password, made = strings.TrimRight(line, "\r\n"), false
	}
	// bcrypt looks at the first 72 bytes only, so a longer one would be cut silently.
	if len(password) < minPassword || len(password) > 72 {
		return usageError{fmt.Errorf("the password must have from %d to 72 bytes", minPassword)}
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return err
	}
	return withStore(ctx, std, func(store *sql.Store) error {
		u := galena.User{Name: c.Name, Role: c.Role, PasswordHash: hash, CreatedAt: time.Now()}
		if err := store.PutUser(ctx, u); err != nil {
			return err
		}
		if err := audit(ctx, store, "user.put", c.Name); err != nil {
			return err
		}
		if made {
			_, err = fmt.Fprintln(std.Out, password)
		}
		return err
	})
}

type usersListCmd struct {
	JSON bool `help:"Print a list of objects."`
}

// Help is shown by --help.
func (usersListCmd) Help() string { return `Example: galena users list` }

// userLine is one person of the list.
type userLine struct {
	Name      string `json:"name"`
	Role      string `json:"role"`
	CreatedAt string `json:"created_at"`
}

// Run lists the people.
func (c usersListCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		users, err := store.Users(ctx)
		if err != nil {
			return err
		}
		lines := make([]userLine, 0, len(users))
		for _, u := range users {
			lines = append(lines, userLine{u.Name, u.Role, u.CreatedAt.UTC().Format(time.RFC3339)})
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(lines)
		}
		w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tROLE\tSINCE")
		for _, l := range lines {
			fmt.Fprintf(w, "%s\t%s\t%s\n", l.Name, l.Role, l.CreatedAt)
		}
		return w.Flush()
	})
}

type usersRemoveCmd struct {
	Name string `arg:"" help:"Name to remove."`
}

// Help is shown by --help.
func (usersRemoveCmd) Help() string { return `Example: galena users remove ana.souza` }

// Run removes a person.
func (c usersRemoveCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		if err := store.DeleteUser(ctx, c.Name); err != nil {
			return err
		}
		return audit(ctx, store, "user.remove", c.Name)
	})
}
