package main

import (
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	signing "github.com/bartizan-mcp/bartizan/internal/signer"
)

func newKeySigner() *cobra.Command {
	var data, socket, level string
	var peers []int
	var keyed bool
	cmd := &cobra.Command{
		Use:   "signer --data DIR --socket PATH",
		Short: "Hold the registry's signing keys in a process of its own",
		Long: "Signs approvals, snapshots and bills of materials for a registry that is started\n" +
			"with registry.signer, after looking at what they say (docs/signer.md). DIR is the\n" +
			"signer's own: make its keys and trust.json with bartizan trust init, and copy\n" +
			"trust.json to the registry and the gateways.",
		Example: "  bartizan key signer --data /var/lib/bartizan-signer --socket /run/bartizan/signer.sock --allow-uid 1001",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx := cmd.Context()
			if data, err = filepath.Abs(data); err != nil {
				return err
			}
			log, err := audit.Open(filepath.Join(data, "audit"), audit.Options{Version: version(), Feature: "signer"})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, log.Close()) }()
			logger := newLogger(cmd.ErrOrStderr(), level)
			service, err := signing.Open(signing.Config{Dir: data, KeyedVotes: keyed, Audit: log, Logger: logger})
			if err != nil {
				return err
			}
			l, err := signing.Listen(socket, peers)
			if err != nil {
				return err
			}
			if err := printLine(cmd.OutOrStdout(), map[string]string{"registry": service.Trust().Registry, "signer": socket}); err != nil {
				return errors.Join(err, l.Close())
			}
			return signing.Serve(ctx, l, service, peers)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&data, "data", "", "the signer's folder")
	flags.StringVar(&socket, "socket", "", "Unix socket to listen on")
	flags.IntSliceVar(&peers, "allow-uid", nil, "user that may ask beside the signer's own (repeatable; Linux)")
	flags.BoolVar(&keyed, "keyed-votes", false, "refuse approvals with votes that were cast without a key")
	flags.StringVar(&level, "log-level", "info", "debug, info, warn or error")
	_ = cmd.MarkFlagRequired("data")
	_ = cmd.MarkFlagRequired("socket")
	return cmd
}
