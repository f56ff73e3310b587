package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/scannerfile"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

func newScanner() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scanner",
		Short: "Make, inspect, run, test, sign and list scanner modules",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(
		newScannerNew(), newScannerBuild(), newScannerAttach(), newScannerInspect(), newScannerRun(), newScannerTest(),
		newScannerBench(), newScannerSign(), newScannerPush(), newScannerPull(), newScannerList(),
	)
	return cmd
}

// cacheFlag is for commands that authors run many times over one module.
func cacheFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("cache", os.Getenv("BARTIZAN_CACHE"), "folder that keeps compiled scanners")
}

// scannerRun is what `scanner run` always prints.
type scannerRun struct {
	Scanner struct {
		Name   string `json:"name"`
		Digest string `json:"digest"`
	} `json:"scanner"`
	Action    engine.Action    `json:"action"`
	Findings  []engine.Finding `json:"findings"`
	Failure   *engine.Failure  `json:"failure"`
	Fuel      int64            `json:"fuel"` // 0 where nothing ran, or where a fault ended it
	ElapsedUs int64            `json:"elapsedUs"`

	unexamined bool
}

func newScannerRun() *cobra.Command {
	var phase, input, config, server string
	cmd := &cobra.Command{
		Use:   "run X.wasm --phase PHASE --input FILE",
		Short: "Run one module, signed or not, over one message",
		Long: "FILE is a JSON-RPC request, a whole response, or a tools/list response or\n" +
			"capture, by --phase. Exit code 0 allow, 3 from flag upwards and on any failure.",
		Example: "  bartizan scanner run ticket.wasm --phase request --input call.json -o json",
		Args:    cobra.ExactArgs(1),
	}
	format := outputFlag(cmd, "json", "table")
	cache := cacheFlag(cmd)
	cmd.Flags().StringVar(&phase, "phase", "", "listing, request, result, prompt or resource")
	cmd.Flags().StringVar(&input, "input", "", "file, or - for standard input")
	cmd.Flags().StringVar(&config, "config", "", "file handed to bartizan_init")
	cmd.Flags().StringVar(&server, "server", "", "name of the server that the message is about")
	_ = cmd.MarkFlagRequired("phase")
	_ = cmd.MarkFlagRequired("input")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "json", "table"); err != nil {
			return err
		}
		if !message.Phase(phase).Valid() {
			return usageError("unknown phase %q", phase)
		}
		if args[0] == "-" && input == "-" {
			return usageError("standard input cannot be both the module and the message")
		}
		wasm, err := readModule(cmd, args[0])
		if err != nil {
			return err
		}
		raw, err := readInput(cmd, input)
		if err != nil {
			return err
		}
		messages, err := readMessages(message.Phase(phase), server, raw)
		if err != nil {
			return fmt.Errorf("%s: %w", input, err)
		}
		var configured []byte
		if config != "" {
			if configured, err = readInput(cmd, config); err != nil {
				return err
			}
		}
		result, err := runScanner(cmd, *cache, wasm, configured, messages)
		if err != nil {
			return err
		}
		if err := printScannerRun(cmd, result, *format); err != nil {
			return err
		}
		if result.Failure != nil || !result.Action.Less(engine.ActionFlag) {
			return &exitError{Code: exitPolicy}
		}
		return nil
	}
	return cmd
}

// runScanner loads one module and runs it. A module that is refused is a
// failure of kind refused, not an error: the answer has the same shape. What
// the guest logs is for its author, on standard error.
func runScanner(cmd *cobra.Command, cache string, m module, config []byte, messages []*message.Message) (scannerRun, error) {
	ctx := cmd.Context()
	result := scannerRun{Action: engine.ActionAllow, Findings: []engine.Finding{}}
	result.Scanner.Name = m.name
	result.Scanner.Digest = m.digest
	e, err := engine.New(ctx, engine.Config{CacheDir: cache})
	if err != nil {
		return result, err
	}
	defer e.Close(ctx)
	s, err := m.load(ctx, e, engine.Options{Config: config, Log: visibleLog{cmd.ErrOrStderr()}})
	if err != nil {
		result.Action = engine.ActionBlock
		result.Failure = &engine.Failure{Scanner: m.name, Kind: engine.FailureRefused, Detail: err.Error()}
		return result, nil
	}
	result.Scanner.Name = s.Manifest().Name
	set := engine.NewSet(s)
	for _, m := range messages {
		v := set.Scan(ctx, m)
		if result.Action.Less(v.Action) {
			result.Action = v.Action
		}
		result.Findings = append(result.Findings, v.Findings...)
		if len(v.Failures) > 0 && result.Failure == nil {
			result.Failure = &v.Failures[0]
		}
		result.unexamined = result.unexamined || v.Unexamined
		result.ElapsedUs += v.Elapsed.Microseconds()
		result.Fuel += v.Fuel
	}
	return result, nil
}

// visibleLog makes what a guest writes safe for a terminal.
type visibleLog struct{ w io.Writer }

func (l visibleLog) Write(p []byte) (int, error) {
	_, err := io.WriteString(l.w, printable(string(p)))
	return len(p), err
}

func printScannerRun(cmd *cobra.Command, r scannerRun, format string) error {
	out := cmd.OutOrStdout()
	if format == "json" {
		if r.unexamined && r.Failure == nil { // nothing else says why it blocks
			fmt.Fprintln(cmd.ErrOrStderr(), notExamined)
		}
		return printJSON(out, r)
	}
	s := scanned{Action: r.Action, Findings: r.Findings, Unexamined: r.unexamined}
	if r.Failure != nil {
		s.Failures = []engine.Failure{*r.Failure}
	}
	return s.table(out)
}

func newScannerAttach() *cobra.Command {
	var manifest, out string
	cmd := &cobra.Command{
		Use:     "attach X.wasm --manifest FILE",
		Short:   "Put a manifest into a module, replacing the one it has",
		Long:    "FILE is JSON (sdk/abi/manifest.schema.json), or the scanner.yaml of a scanner.",
		Example: "  bartizan scanner attach ticket.wasm --manifest scanner.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case args[0] == "-" && manifest == "-":
				return usageError("standard input cannot be both the module and the manifest")
			case args[0] == "-" && out == "":
				return usageError("a module from standard input wants --out")
			}
			wasm, err := readInput(cmd, args[0])
			if err != nil {
				return err
			}
			body, err := readInput(cmd, manifest)
			if err != nil {
				return err
			}
			if body, err = readManifest(manifest, body); err != nil {
				return fmt.Errorf("%s: %w", manifest, err)
			}
			attached, err := wasmsection.Attach(wasm, engine.ManifestSection, body)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if out == "" {
				out = args[0]
			}
			if err := os.WriteFile(out, attached, 0o644); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), engine.Digest(attached))
			return err
		},
	}
	cmd.Flags().StringVar(&manifest, "manifest", "", "manifest as JSON, or scanner.yaml")
	cmd.Flags().StringVar(&out, "out", "", "write here instead of in place")
	_ = cmd.MarkFlagRequired("manifest")
	return cmd
}

// readManifest returns a manifest as a module holds it: JSON without white
// space, also where it was written as YAML.
func readManifest(name string, body []byte) ([]byte, error) {
	if scannerfile.IsYAML(name) {
		f, err := scannerfile.Parse(body)
		if err != nil {
			return nil, err
		}
		return f.ManifestJSON()
	}
	v := jsontext.Value(strings.TrimSpace(string(body)))
	if err := v.Compact(); err != nil {
		return nil, err
	}
	_, err := engine.ParseManifest(v)
	return v, err
}
