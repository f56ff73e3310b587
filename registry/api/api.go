// Package api is the HTTP edge of the registry: the official MCP registry API
// v0.1, /api/v1, and nothing else. It turns requests into calls of the domain
// service and errors into RFC 9457 problems; it decides nothing itself.
//
// It is the only package that knows gin.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/registry"
)

// Config of the edge.
type Config struct {
	Service   *registry.Service
	AuditPath string // of the log that /api/v1/audit searches
	// PublicReads lets everyone read approved versions of the default tenant,
	// with CORS "*". Off by default.
	PublicReads bool
	// Hosts are the names under which the registry is reached. Empty: any,
	// except on a loopback listener, where only loopback names are accepted.
	Hosts []string
	// Closing ends the requests that only wait for something to happen, so that
	// a shutdown need not. nil: never.
	Closing context.Context
	// Metrics answers GET /metrics; nil serves none.
	Metrics http.Handler
	// Operator is the tenant that runs this process: how its scanners fare, for
	// all tenants together, is told to no other. Default identity.DefaultTenant.
	Operator string
	Logger   *slog.Logger
	Now      func() time.Time
	Version  string // of the program
}

type api struct {
	Config
	service  *registry.Service
	openapi  []byte
	attempts *attempts // to prove a namespace
}

func init() { gin.SetMode(gin.ReleaseMode) }

// New returns the handler.
func New(cfg Config) (http.Handler, error) {
	if cfg.Service == nil {
		return nil, errors.New("registry/api: no service")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Operator == "" {
		cfg.Operator = identity.DefaultTenant
	}
	if cfg.Closing == nil {
		cfg.Closing = context.Background()
	}
	a := &api{Config: cfg, service: cfg.Service, attempts: newAttempts()}
	router := gin.New()
	router.UseEscapedPath = true      // %2F in a server name is no separator
	router.UnescapePathValues = false // call.Param does it: gin would read "+" in a version as a space
	router.RedirectTrailingSlash = false
	router.HandleMethodNotAllowed = true
	router.ForwardedByClientIP = false // nobody's header says where a request came from
	router.Use(a.recovered, headers)
	router.NoRoute(func(c *gin.Context) {
		err := a.guard(c, route{})
		if err == nil {
			err = refusal(http.StatusNotFound, "not_found", "no such resource")
		}
		a.fail(c, err)
	})
	router.NoMethod(func(c *gin.Context) {
		a.fail(c, refusal(http.StatusMethodNotAllowed, "method_not_allowed", "this resource does not know the method"))
	})
	routes := a.routes()
	document, err := openAPI(routes)
	if err != nil {
		return nil, err
	}
	a.openapi = document
	for _, r := range routes {
		for _, path := range r.paths() {
			router.Handle(r.method, path, a.serve(r))
			if r.method == http.MethodGet { // RFC 9110 §9.1: HEAD wherever there is GET
				router.HEAD(path, a.serve(r))
			}
			if a.shared(r) {
				router.OPTIONS(path, a.preflight)
			}
		}
	}
	return router, nil
}

// NewServer wraps the handler with the time limits of every phase of a
// connection. Uploads and long polls fit into them.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Minute,
		WriteTimeout:      12 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// serve runs one route: guard, authenticate, authorise, handle.
func (a *api) serve(r route) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Set(officialKey, r.official)
		if err := a.guard(c, r); err != nil {
			a.fail(c, err)
			return
		}
		q := &call{Context: c, api: a, ctx: c.Request.Context()}
		if err := a.authenticate(q, r); err != nil {
			a.fail(c, err)
			return
		}
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, r.limit())
		if err := r.handle(q); err != nil {
			a.fail(c, err)
		}
	}
}

// recovered keeps the process alive and answers. A stream that has begun can
// only be cut off.
func (a *api) recovered(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler || c.Writer.Written() {
			panic(http.ErrAbortHandler)
		}
		a.Logger.ErrorContext(c.Request.Context(), "panic in handler", "route", c.FullPath(), "panic", p)
		a.fail(c, refusal(http.StatusInternalServerError, "internal", "the registry failed; the error is in its log"))
	}()
	c.Next()
}

// headers keep a browser from treating anything here as a page.
func headers(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	c.Next()
}

// ready is /readyz.
func (a *api) ready(q *call) error {
	ctx, cancel := context.WithTimeout(q.ctx, 5*time.Second)
	defer cancel()
	if err := a.service.Ready(ctx); err != nil {
		return err
	}
	return q.plain("ready\n")
}
