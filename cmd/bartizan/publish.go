package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
	"github.com/bartizan-mcp/bartizan/registry/client"
)

// publication is what the flags of `publish` say.
type publication struct {
	artifact, listing, alias, tier, dir string
	permissions                         string
	packages, pin                       string
	scopes, env, set, runtimes          []string
	signatures                          signatures
	unsafeRun, wait                     bool
	patience                            time.Duration
	command                             []string
	resolution                          resolution
}

func newPublish() *cobra.Command {
	var p publication
	cmd := &cobra.Command{
		Use:   "publish SERVER.JSON [flags] [-- COMMAND [ARGS...]]",
		Short: "Publish a server version, signed, for review",
		Long: "The artifact is a file or a folder; each --key signs it together with\n" +
			"server.json, as does an OIDC identity if --fulcio-url names who certifies it. The\n" +
			"token is read from --oidc-token, SIGSTORE_ID_TOKEN or the build service. A remote is listed by the registry; a local server by --listing, or\n" +
			"by running COMMAND here with --unsafe-run, which the record says. COMMAND is also\n" +
			"the launch identity that the approval binds; where it names {tree}, the folder that\n" +
			"the artifact becomes, gateways start it from there and bind its code too. A bundle\n" +
			"(.mcpb, .dxt) says itself how it is started.\n\n" +
			"Exit code 0 in review, 3 quarantined; with --wait 8 while undecided.",
		Example: "  bartizan publish server.json --key acme.key\n" +
			"  bartizan publish server.json --artifact . --key acme.key --unsafe-run -- node /opt/acme/index.js\n" +
			"  bartizan publish server.json --artifact . --packages npm --listing l.json -- node {tree}/index.js\n" +
			"  bartizan publish server.json --artifact x.tgz --fulcio-url URL --rekor-url URL --tsa-url URL",
		Args: cobra.MinimumNArgs(1),
	}
	format := outputFlag(cmd, "table", "json")
	connect := registryFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&p.artifact, "artifact", "", "file or folder that is published")
	p.resolution.flags(cmd)
	f.StringVar(&p.listing, "listing", "", "capture of the server's listing")
	p.signatures.flags(f)
	f.StringVar(&p.alias, "alias", "", "name under which the gateway serves it")
	f.StringVar(&p.tier, "tier", "", "risk tier (default standard)")
	f.StringArrayVar(&p.scopes, "scope", nil, "permission scope that the server needs")
	f.StringVar(&p.permissions, "permissions", "", "what the server needs, as JSON (docs/permissions.md)")
	f.StringArrayVar(&p.env, "env", nil, "name of an environment variable that the server reads")
	f.StringArrayVar(&p.set, "set", nil, "NAME=VALUE of a variable that is no secret, for a server started from the artifact")
	f.StringArrayVar(&p.runtimes, "runtime", nil, "sha256:HEX that gateways' copy of COMMAND may have (default: of the one here)")
	f.StringVar(&p.packages, "packages", "", "npm or pip: bring along what the lockfile of the --artifact folder names")
	f.StringVar(&p.pin, "pin", "", "sha256:HEX of a public key, or a SPIFFE id, that the remote has to prove")
	f.StringVar(&p.dir, "dir", "", "working folder of COMMAND (default /, or {tree})")
	f.BoolVar(&p.unsafeRun, "unsafe-run", false, "run COMMAND here, without a sandbox, to list it")
	f.BoolVar(&p.wait, "wait", false, "wait for the decision")
	f.DurationVar(&p.patience, "wait-for", time.Minute, "how long --wait waits")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		at := cmd.ArgsLenAtDash()
		if at < 0 {
			at = len(args)
		}
		if at != 1 {
			return usageError("exactly one server.json, then -- COMMAND")
		}
		p.command = args[at:]
		c, err := connect()
		if err != nil {
			return err
		}
		v, err := p.run(cmd, c, args[0])
		if err != nil {
			return err
		}
		if err := printVersion(cmd.OutOrStdout(), v, *format); err != nil {
			return err
		}
		return publishedExit(v, p.wait)
	}
	return cmd
}

// publishedExit is the exit code of a state.
func publishedExit(v *admission.Version, waited bool) error {
	switch v.State {
	case admission.Quarantined, admission.Rejected:
		return &exitError{Code: exitPolicy}
	case admission.InReview:
		if waited {
			return &exitError{Code: exitPending}
		}
	}
	return nil
}

func (p *publication) run(cmd *cobra.Command, c *client.Client, serverFile string) (*admission.Version, error) {
	ctx := cmd.Context()
	var sub client.Publication
	var err error
	if sub.Server, err = readInput(cmd, serverFile); err != nil {
		return nil, err
	}
	artifact, err := p.artifactBytes(cmd)
	if err != nil {
		return nil, err
	}
	if artifact != nil {
		sub.Artifact = bytes.NewReader(artifact)
	}
	if sub.Options.Launch, err = p.launch(ctx, sub.Server, artifact); err != nil {
		return nil, err
	}
	if sub.Listing, sub.Options.ListingSource, err = p.capture(ctx, sub.Options.Launch, artifact); err != nil {
		return nil, err
	}
	if sub.Bundles, err = p.signatures.bundles(cmd, sub.Server, artifact); err != nil {
		return nil, err
	}
	sub.Options.Alias, sub.Options.Tier = p.alias, p.tier
	if p.scopes != nil {
		sub.Options.Scopes = &p.scopes
	}
	if p.permissions != "" {
		if sub.Options.Permissions, err = readPermissions(p.permissions); err != nil {
			return nil, err
		}
	}
	v, err := c.Publish(ctx, sub)
	if err != nil || !p.wait {
		return v, err
	}
	return waitDecided(ctx, c, v, p.patience)
}

// capture lists the server here, if it was asked for, or reads the capture
// that was given. Nil lets the registry capture a remote itself.
func (p *publication) capture(ctx context.Context, l admission.Launch, artifact []byte) (body []byte, source string, err error) {
	if p.listing != "" {
		if p.unsafeRun {
			return nil, "", usageError("either --listing or --unsafe-run")
		}
		body, err = os.ReadFile(p.listing)
		return body, listing.SourceOperator, err
	}
	if !p.unsafeRun {
		return nil, "", nil
	}
	target, tidy, err := p.runnable(ctx, l, artifact)
	if err != nil {
		return nil, "", err
	}
	defer tidy()
	captured, err := upstream.Capture(ctx, target, upstream.Limits{})
	if err != nil {
		return nil, "", fmt.Errorf("run %s: %w", filepath.Base(l.Command[0]), err)
	}
	captured.Source = listing.SourceUnsafeRun
	body, err = captured.Marshal()
	return body, listing.SourceUnsafeRun, err
}

// waitDecided asks until the version has left review or patience ends.
func waitDecided(ctx context.Context, c *client.Client, v *admission.Version, patience time.Duration) (*admission.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for v.State == admission.InReview || v.State == admission.Received {
		select {
		case <-ctx.Done():
			return v, nil
		case <-time.After(time.Second):
		}
		next, err := c.Version(ctx, v.Name, v.Version)
		if err != nil {
			if ctx.Err() != nil {
				return v, nil
			}
			return nil, err
		}
		v = next
	}
	return v, nil
}
