// Command bartizan is the whole of Bartizan in one binary: both doors
// (serve), the author's and reviewer's commands, and the tools for scanners,
// SBOMs, keys, trust and audit. It is the only place that wires the rooms
// together; commands stay thin and hold no decisions of their own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes of CONTRACTS §6.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitPolicy  = 3
	exitAuth    = 4
	exitPending = 8
)

// exitError carries the exit code that an error stands for. A nil Err means
// that everything worth saying was printed already.
type exitError struct {
	Code int
	Err  error
}

func (e *exitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit %d", e.Code)
	}
	return e.Err.Error()
}

func (e *exitError) Unwrap() error { return e.Err }

// usageError marks a mistake in how a command was called.
func usageError(format string, args ...any) error {
	return &exitError{Code: exitUsage, Err: fmt.Errorf(format, args...)}
}

// policyError is a "no" that is an answer, not a breakdown.
func policyError(format string, args ...any) error {
	return &exitError{Code: exitPolicy, Err: fmt.Errorf(format, args...)}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process: tests call it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitCode(err)
	var exit *exitError
	if !errors.As(err, &exit) || exit.Err != nil {
		fmt.Fprintf(stderr, "bartizan: %s\n", printable(err.Error()))
		if hint := hintFor(err); hint != "" {
			fmt.Fprintf(stderr, "hint: %s\n", hint)
		}
	}
	return code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "bartizan",
		Short:         "Two locked doors between AI agents and MCP servers",
		Long:          "Bartizan admits MCP servers by signed approval (registry) and holds every\nlisting, call and result against it (gateway).\n\n" + exitHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError("%w", err) })
	root.AddCommand(
		newServe(), newPublish(), newServer(), newReview(), newPolicy(), newVerify(),
		newScan(), newEval(), newScanner(), newSBOM(),
		newKey(), newTrust(), newAudit(), newConfig(),
		newDemo(), newConnect(), newBridge(), newVersion(),
	)
	root.InitDefaultCompletionCmd()
	refuseStrangers(root)
	wrapArgs(root)
	return root
}

const exitHelp = `Exit codes: 0 ok, 1 failure, 2 usage, 3 policy said no (findings, drift,
unverified, scanner fault), 4 authentication, 8 pending review.
Standard output holds data only; everything else goes to standard error.`

// refuseStrangers makes a group of commands say that it does not know one:
// cobra would print its help and call that success.
func refuseStrangers(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		if sub.HasSubCommands() && !sub.Runnable() {
			sub.Args = cobra.NoArgs
			sub.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
		refuseStrangers(sub)
	}
}

// wrapArgs turns cobra's complaints about arguments into usage errors.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usageError("%w", err)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "bartizan", version())
			return err
		},
	}
}

// version is the module's, as the Go toolchain recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
