package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func newDemo() *cobra.Command {
	var fixtures string
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Tell the whole story with real protocol traffic, each step checked",
		Long: "Starts both doors on throwaway storage and the fixture servers that `make demo`\n" +
			"builds, and walks through publish, review, approval, calls, refusals and audit.\n" +
			"Exits 0 only if every step happened as told.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "bartizan-demo-")
			if err != nil {
				return err
			}
			if !keep {
				defer os.RemoveAll(dir)
			}
			bin, err := os.Executable()
			if err != nil {
				return err
			}
			for _, name := range []string{"weather", "everything-server"} {
				if _, err := os.Stat(filepath.Join(fixtures, name)); err != nil {
					return fmt.Errorf("fixture server %s is not built; run make demo: %w", name, err)
				}
			}
			world := &demoWorld{ctx: cmd.Context(), bin: bin, fixtures: fixtures, dir: dir}
			defer world.stop()
			return tell(cmd.OutOrStdout(), world, demoStory)
		},
	}
	cmd.Flags().StringVar(&fixtures, "fixtures", "bin/fixtures", "folder of the fixture servers")
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the data folder of the demo")
	return cmd
}

// demoStep is one sentence of the story and what makes it true. It returns
// what was seen, or why the sentence is false.
type demoStep struct {
	Title string
	Do    func(*demoWorld) (seen string, err error)
}

// tell runs the steps in order, one plain line each, and stops at the first
// that is not true.
func tell(out io.Writer, w *demoWorld, story []demoStep) error {
	for i, step := range story {
		seen, err := step.Do(w)
		if err != nil {
			fmt.Fprintf(out, "FAIL %2d  %s: %s\n", i+1, step.Title, printable(err.Error()))
			return errors.New("the demo did not happen as told")
		}
		fmt.Fprintf(out, "ok   %2d  %s: %s\n", i+1, step.Title, printable(seen))
	}
	fmt.Fprintf(out, "all %d steps happened\n", len(story))
	return nil
}
