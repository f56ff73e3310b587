package gateway

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Serve answers requests on l until Shutdown, with the limits that only a
// listener can hold. It returns http.ErrServerClosed after Shutdown.
func (g *Gateway) Serve(l net.Listener) error {
	server := &http.Server{
		Handler:           http.HandlerFunc(g.serveConn),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    g.cfg.HeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return context.Background() },
		ConnContext:       withConn,
	}
	g.mu.Lock()
	if g.doorway.isDraining() {
		g.mu.Unlock()
		return http.ErrServerClosed
	}
	g.server = server
	g.mu.Unlock()
	return server.Serve(&limitedListener{
		Listener: l, total: g.cfg.Connections, perAddress: newAddresses(g.cfg.ConnectionsPerAddress), open: map[*countedConn]struct{}{},
	})
}

// connKey is the context key of the connection that a request came on.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// serveConn answers a request and keeps its connection meanwhile.
func (g *Gateway) serveConn(w http.ResponseWriter, r *http.Request) {
	if c := connOf(r); c != nil {
		if !c.busy() {
			panic(http.ErrAbortHandler) // given away: nothing must happen whose answer nobody gets
		}
		defer c.idle()
	}
	g.ServeHTTP(w, r)
}

// limitedListener closes connections of an address that has too many. Where all
// places are taken, one that is not being served gives way: a crowd that only
// waits keeps nobody out.
type limitedListener struct {
	net.Listener
	total      int
	perAddress *addresses

	mu   sync.Mutex
	open map[*countedConn]struct{}
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &countedConn{Conn: conn, host: addrHost(conn.RemoteAddr().String()), from: l}
		c.idle()
		if !l.perAddress.enter(c.host) {
			conn.Close()
			continue
		}
		if !l.seat(c) {
			l.perAddress.leave(c.host)
			conn.Close()
			continue
		}
		return c, nil
	}
}

// looked bounds how many connections are looked at for one that gives way. They
// are drawn at random: who waits longest among so many waits long.
const looked = 64

// seat gives a connection a place, if need be that of the one that idles longest.
func (l *limitedListener) seat(c *countedConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.total {
		var victim *countedConn
		var longest int64
		n := 0
		for other := range l.open {
			if since := other.since.Load(); since > 0 && (victim == nil || since < longest) {
				victim, longest = other, since
			}
			if n++; n == looked {
				break
			}
		}
		if victim == nil || !victim.since.CompareAndSwap(longest, given) {
			return false
		}
		delete(l.open, victim)
		go victim.Close() // over TLS it says goodbye, and may wait
	}
	l.open[c] = struct{}{}
	return true
}

// leave frees the place of a connection.
func (l *limitedListener) leave(c *countedConn) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	l.perAddress.leave(c.host)
}

// countedConn is a connection that has a place.
type countedConn struct {
	net.Conn
	host  string
	from  *limitedListener
	since atomic.Int64 // when it began to idle, in nanoseconds; else serving or given
	once  sync.Once
	piece *[]byte // what is gathered of an answer; nil: nothing is
}

// What since says of a connection that does not idle.
const (
	serving = 0
	given   = -1
)

// busy begins a request; false when the place was given away.
func (c *countedConn) busy() bool {
	since := c.since.Load()
	return since != given && (since == serving || c.since.CompareAndSwap(since, serving))
}

func (c *countedConn) idle() { c.since.Store(time.Now().UnixNano()) }

func (c *countedConn) Close() error {
	defer c.once.Do(func() { c.from.leave(c) })
	return c.Conn.Close()
}
