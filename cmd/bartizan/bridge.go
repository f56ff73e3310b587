package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/bridge"
)

func newBridge() *cobra.Command {
	var e endpoint
	var tokenFile, level string
	cmd := &cobra.Command{
		Use:   "bridge",
		Short: "Speak MCP on standard input and output for a client that only starts commands",
		Long: "Carries every message to the gateway and back, unchanged. The key is read from\n" +
			"--token-file, else from $BARTIZAN_TOKEN, else from where `bartizan connect` keeps it.\n" +
			"Ends when standard input ends; standard output holds messages only.",
		Example: "  bartizan bridge --server weather",
		Args:    cobra.NoArgs,
	}
	e.flags(cmd)
	cmd.Flags().StringVar(&tokenFile, "token-file", "", "file of the API key, readable by you alone")
	cmd.Flags().StringVar(&level, "log-level", envOr("BARTIZAN_LOG_LEVEL", "warn"), "debug, info, warn or error")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		url, err := e.url()
		if err != nil {
			return err
		}
		token, err := bridgeToken(tokenFile)
		if err != nil {
			return &exitError{Code: exitAuth, Err: err}
		}
		return bridge.Run(cmd.Context(), bridge.Config{
			URL: url, Token: token, In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Log: newLogger(cmd.ErrOrStderr(), level),
		})
	}
	return cmd
}

func bridgeToken(file string) (string, error) {
	if token := os.Getenv("BARTIZAN_TOKEN"); file == "" && token != "" {
		return token, nil
	}
	given := file != ""
	if !given {
		config, err := os.UserConfigDir()
		if err != nil {
			return "", err
		}
		file = filepath.Join(config, "bartizan", "token")
	}
	token, err := readToken(file)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return "", errors.New("no API key: --token-file or BARTIZAN_TOKEN")
	}
	return token, err
}
