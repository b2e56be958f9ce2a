// Command galena turns raw marketing leads into routed ones. Every command is
// one file in this folder; app.go puts the parts together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit codes, the same for every command.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitNo     = 3 // the answer is "no": lint errors, conflicts
)

// errNo ends a command with exitNo; what there is to say has been printed.
var errNo = errors.New("no")

// usageError ends a command with exitUsage.
type usageError struct{ error }

// cli is the list of commands.
type cli struct {
	Demo      demoCmd      `cmd:"" help:"Try it: everything in one process, simulated vendors, the sample leads. No key, no service, no network."`
	Serve     serveCmd     `cmd:"" help:"Run intake, pages, worker and scheduler in one process."`
	Web       webCmd       `cmd:"" help:"Run intake and pages."`
	Worker    workerCmd    `cmd:"" help:"Run the pipeline: any number, against the same stores."`
	Scheduler schedulerCmd `cmd:"" help:"Run the sweep."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the schema up to date. Safe when several start at once."`
	Check     checkCmd     `cmd:"" help:"Lint configuration files."`
	Hygiene   hygieneCmd   `cmd:"" help:"Judge addresses, one a line."`
	Lists     listsCmd     `cmd:"" help:"Show the lists that hygiene stands on, and compare them with newer ones."`
	Score     scoreCmd     `cmd:"" help:"Score facts: no database, no queue."`
	Explain   explainCmd   `cmd:"" help:"Say why a lead got its score and its rep."`
	Enrich    enrichCmd    `cmd:"" help:"Ask providers about one company, and show every step."`
	Providers providersCmd `cmd:"" help:"Show which providers are configured and how they fare."`
	CRM       crmCmd       `cmd:"" name:"crm" help:"Look at the CRM: may we write, where do the fields stand, what is missing."`
	Companies companiesCmd `cmd:"" help:"Show companies, and say which domains lead to one."`
	Conflicts conflictsCmd `cmd:"" help:"Settle where a CRM holds another value than ours."`
	Runs      runsCmd      `cmd:"" help:"Show what was written to CRMs."`
	Steps     stepsCmd     `cmd:"" help:"List the work that was put aside, and run it again."`
	Token     tokenCmd     `cmd:"" help:"Create, list, regenerate and revoke API tokens."`
	Suppress  suppressCmd  `cmd:"" help:"Keep people and domains out that asked to be left alone."`
	Users     usersCmd     `cmd:"" help:"Add, list and remove the people who may open the pages."`
	Doctor    doctorCmd    `cmd:"" help:"Look at settings, files and stores, and say what is wrong."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// streams is what a command may write to and read from.
type streams struct {
	In       io.Reader
	Out, Err io.Writer
}

func main() {
	os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// run parses the arguments, turns signals into a context and an outcome into an
// exit code. A second signal ends the process at once.
func run(args []string, std streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	exited := -1
	k, err := kong.New(&cli{}, kong.Name("galena"), kong.UsageOnError(),
		kong.Description("Raw marketing leads in, routed leads out."),
		kong.Writers(std.Out, std.Err), kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(std))
	if err != nil {
		fmt.Fprintln(std.Err, "galena:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := k.Parse(args)
	if exited >= 0 {
		return exited // help was printed
	}
	if err != nil {
		fmt.Fprintf(std.Err, "galena: %v\nTry: galena --help\n", err)
		return exitUsage
	}
	return exitCode(command.Run(), std.Err)
}

func exitCode(err error, w io.Writer) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errNo):
		return exitNo
	case errors.As(err, &usage):
		fmt.Fprintln(w, "galena:", err)
		return exitUsage
	default:
		fmt.Fprintln(w, "galena:", err)
		return exitFailed
	}
}
