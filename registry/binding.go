package registry

import (
	"maps"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/tree"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// bind decides how the server is started or reached, and what that binds: a
// command whose code comes from the artifact's tree binds the tree, another one
// its argv and environment names, an endpoint the exact URL of one remote. What
// does not fit is refused as the approval would be.
func bind(doc *serverjson.Document, l admission.Launch, artifact bool) (admission.Launch, approval.Binding, error) {
	l, binding, err := identify(doc, l)
	if err != nil {
		return l, "", err
	}
	if binding == approval.BindingArtifact && !artifact {
		return l, "", refuse(ErrInvalid, RefusedOptions, "a launch from the tree (%s) needs an artifact", tree.Root)
	}
	texts := slices.Concat(l.Command, l.EnvNames, l.Runtimes, []string{l.Dir, l.Pin}, slices.Collect(maps.Keys(l.Env)), slices.Collect(maps.Values(l.Env)))
	if len(texts) > 1024 || len(l.Command) > 256 || slices.ContainsFunc(texts, badText) {
		return l, "", refuse(ErrInvalid, RefusedOptions, "launch.command must be 1 to 256 arguments, and nothing in launch may hold control characters")
	}
	if err := launchOf(l).Check(binding); err != nil {
		return l, "", refuse(ErrInvalid, RefusedOptions, "the launch would not be approved: %s", strings.TrimPrefix(err.Error(), approval.ErrMalformed.Error()+": "))
	}
	return l, binding, nil
}

// identify completes a launch from server.json and says what kind it is.
func identify(doc *serverjson.Document, l admission.Launch) (admission.Launch, approval.Binding, error) {
	endpoint, hasEndpoint := doc.Endpoint()
	switch {
	case len(l.Command) > 0 && (l.URL != "" || l.Transport != "" || l.Pin != ""):
		return l, "", refuse(ErrInvalid, RefusedOptions, "a launch has a command or a URL, not both")
	case len(l.Command) > 0 && (len(l.Runtimes) > 0 || len(l.Env) > 0 || tree.Names(l.Dir) || slices.ContainsFunc(l.Command, tree.Names)):
		return l, approval.BindingArtifact, nil
	case len(l.Command) > 0:
		return l, approval.BindingCommand, nil
	case l.Dir != "" || len(l.EnvNames)+len(l.Runtimes)+len(l.Env) > 0:
		return l, "", refuse(ErrInvalid, RefusedOptions, "launch.dir, envNames, runtimes and env need launch.command")
	case l.URL == "" && l.Transport != "":
		return l, "", refuse(ErrInvalid, RefusedOptions, "launch.transport needs launch.url")
	case l.URL != "":
		declared := serverjson.Remote{Type: serverjson.TypeHTTP, URL: l.URL}
		if l.Transport != "" {
			declared.Type = l.Transport
		}
		if !slices.ContainsFunc(doc.Remotes, func(r serverjson.Remote) bool { return r.Type == declared.Type && r.URL == declared.URL }) {
			return l, "", refuse(ErrInvalid, RefusedOptions, "launch.url is no remote of server.json with that transport")
		}
		return reached(declared, l.Pin), approval.BindingEndpoint, nil
	case hasEndpoint:
		return reached(endpoint, l.Pin), approval.BindingEndpoint, nil
	}
	return l, "", refuse(ErrInvalid, RefusedLaunch, "server.json names no remote without variables: say how the server is started (launch.command)")
}

// reached is the launch identity of a remote.
func reached(r serverjson.Remote, pin string) admission.Launch {
	l := admission.Launch{URL: r.URL, Pin: pin}
	if r.Type != serverjson.TypeHTTP {
		l.Transport = r.Type
	}
	return l
}

// launchOf is a launch as an approval states it.
func launchOf(l admission.Launch) approval.Launch {
	return approval.Launch{
		Command: l.Command, Dir: l.Dir, EnvNames: l.EnvNames, URL: l.URL, Transport: l.Transport, Pin: l.Pin,
		Runtimes: l.Runtimes, Env: l.Env,
	}
}
