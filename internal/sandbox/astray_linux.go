//go:build amd64 || arm64

package sandbox

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// ledAstray is what the program finds instead of a network: a resolver that
// has an address for every name, and a sink where every connection ends. So it
// shows whom it wants to talk to and what it would say first.
type ledAstray struct {
	udp     net.PacketConn
	tcp     net.Listener // the resolver over TCP
	sink    net.Listener
	watch   *os.File // of inotify
	files   []string // by watch
	mu      sync.Mutex
	names   map[netip.Addr]string // given out, by address
	given   map[string]netip.Addr
	streams map[uint16]netip.AddrPort // local port of a diverted connection, and where it should have led
	open    int                       // connections in the sink
	done    bool
}

const (
	maxNames       = 1024
	maxConnections = 64
	sinkPatience   = 2 * time.Second
	sinkIdle       = 300 * time.Millisecond
)

// firstAddress begins a range for tests of networks, which leads nowhere
// (RFC 2544).
var firstAddress = [4]byte{198, 18, 0, 1}

func (b *Box) lead(fds []int) (err error) {
	l := &b.led
	l.names, l.given, l.streams = map[netip.Addr]string{}, map[string]netip.Addr{}, map[uint16]netip.AddrPort{}
	files := make([]*os.File, len(fds))
	for i, fd := range fds {
		_ = unix.SetNonblock(fd, true)
		files[i] = os.NewFile(uintptr(fd), "sandbox")
	}
	if l.udp, err = net.FilePacketConn(files[0]); err == nil {
		if l.tcp, err = net.FileListener(files[1]); err == nil {
			l.sink, err = net.FileListener(files[2])
		}
	}
	for _, f := range files[:3] {
		f.Close()
	}
	l.watch = files[3]
	if err != nil {
		l.close()
		return err
	}
	for _, f := range b.spec.Files {
		if f.Watched {
			l.files = append(l.files, f.Path)
		}
	}
	b.work.Go(b.resolveDatagrams)
	b.work.Go(func() { b.accept(l.tcp, b.resolveStream) })
	b.work.Go(func() { b.accept(l.sink, b.drown) })
	b.work.Go(b.reportTouched)
	return nil
}

func (l *ledAstray) close() {
	l.mu.Lock()
	l.done = true
	l.mu.Unlock()
	for _, c := range []io.Closer{l.udp, l.tcp, l.sink} {
		if c != nil {
			c.Close()
		}
	}
	if l.watch != nil {
		l.watch.Close()
	}
}

// connect sends a stream to the sink, in place of the program: nothing that
// another thread changes meanwhile is read again.
func (b *Box) connect(t thread, n *notification) response {
	to, ok := t.address(n.Args[1], n.Args[2])
	if !ok {
		return goOn // the kernel says what is wrong with it
	}
	if !to.outward() {
		if to.family != unix.AF_UNSPEC && !(to.port.Port() == 53 && to.family != unix.AF_UNIX) {
			b.tell(Event{Kind: Connect, Network: t.network(n.Args[0], to), Addr: to.port, Path: to.path})
		}
		return goOn
	}
	socket, err := t.borrow(n.Args[0])
	if err != nil {
		return fails(syscall.EBADF)
	}
	defer unix.Close(socket)
	network := socketNetwork(socket)
	if network == "udp" && to.port.Port() == 0 {
		return fails(syscall.ENETUNREACH) // libraries sort addresses so
	}
	b.tell(Event{Kind: Connect, Network: network, Addr: to.port, Name: b.led.name(to.port.Addr())})
	if network != "tcp" {
		return fails(syscall.ENETUNREACH)
	}
	return b.led.divert(socket, to)
}

func (l *ledAstray) divert(socket int, to address) response {
	var sink unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: sinkPort}
	if family, _ := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_DOMAIN); family == unix.AF_INET6 {
		sink = &unix.SockaddrInet6{Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16(), Port: sinkPort}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.streams) >= maxNames || l.open >= maxConnections {
		return fails(syscall.ENETUNREACH)
	}
	err := unix.Connect(socket, sink)
	if err == nil || errors.Is(err, unix.EINPROGRESS) {
		switch local, _ := unix.Getsockname(socket); local := local.(type) {
		case *unix.SockaddrInet4:
			l.streams[uint16(local.Port)] = to.port
		case *unix.SockaddrInet6:
			l.streams[uint16(local.Port)] = to.port
		}
	}
	if errno, ok := err.(syscall.Errno); ok {
		return fails(errno)
	}
	return response{}
}

// send refuses datagrams to anywhere, after a look at them.
func (b *Box) send(t thread, fd, at, size, data, length uint64) response {
	to, ok := t.address(at, size)
	if !ok || !to.outward() {
		return goOn
	}
	payload := t.memory(data, int(min(length, maxPayload)))
	b.tell(Event{Kind: Send, Network: t.network(fd, to), Addr: to.port, Name: b.led.name(to.port.Addr()), Data: payload})
	if to.port.Port() == 53 {
		b.asked(payload)
	}
	return fails(syscall.ENETUNREACH)
}

// sendMessages looks at one or several struct msghdr, each stride bytes apart.
func (b *Box) sendMessages(t thread, n *notification, count uint64, stride uint64) response {
	answer := goOn
	for i := range min(count, maxMessages) {
		header := t.memory(n.Args[1]+i*stride, 56)
		if len(header) < 56 {
			break
		}
		field := func(at int) uint64 { return binary.NativeEndian.Uint64(header[at:]) }
		name, size, vector, vectors := field(0), uint64(binary.NativeEndian.Uint32(header[8:])), field(16), field(24)
		if name == 0 || vectors == 0 {
			continue
		}
		data, _ := t.word(vector)
		length, _ := t.word(vector + 8)
		if got := b.send(t, n.Args[0], name, size, data, length); got != goOn {
			answer = got
		}
	}
	return answer
}

func (l *ledAstray) name(a netip.Addr) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.names[a]
}

// drown reads what a diverted connection says first, and ends it.
func (b *Box) drown(c net.Conn) {
	l := &b.led
	from, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	l.mu.Lock() // divert holds it until the connection is on its list
	to, diverted := l.streams[from.Port()]
	delete(l.streams, from.Port())
	l.open++
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.open--
		l.mu.Unlock()
	}()
	said := hear(c)
	if !diverted || len(said) == 0 {
		return
	}
	name := serverName(said)
	if name == "" {
		name = l.name(to.Addr())
	}
	b.tell(Event{Kind: Said, Network: "tcp", Addr: to, Name: name, Data: said})
}

// hear reads until the other side falls silent.
func hear(c net.Conn) (said []byte) {
	until := time.Now().Add(sinkPatience)
	_ = c.SetReadDeadline(until)
	buf := make([]byte, 4096)
	for len(said) < maxPayload {
		n, err := c.Read(buf)
		said = append(said, buf[:n]...)
		if err != nil {
			break
		}
		if idle := time.Now().Add(sinkIdle); idle.Before(until) {
			_ = c.SetReadDeadline(idle)
		}
	}
	return said
}

// serverName is the name that a TLS ClientHello asks for.
func serverName(said []byte) (name string) {
	if said[0] != 0x16 {
		return ""
	}
	stop := errors.New("only the name is wanted")
	_ = tls.Server(replay{bytes.NewReader(said)}, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		name = h.ServerName
		return nil, stop
	}}).Handshake()
	return name
}

// replay is a connection that says what was said and hears nothing.
type replay struct{ *bytes.Reader }

func (replay) Write(b []byte) (int, error)      { return len(b), nil }
func (replay) Close() error                     { return nil }
func (replay) LocalAddr() net.Addr              { return nil }
func (replay) RemoteAddr() net.Addr             { return nil }
func (replay) SetDeadline(time.Time) error      { return nil }
func (replay) SetReadDeadline(time.Time) error  { return nil }
func (replay) SetWriteDeadline(time.Time) error { return nil }

// accept serves connections, a bounded number at once.
func (b *Box) accept(from net.Listener, serve func(net.Conn)) {
	slots := make(chan struct{}, maxConnections)
	for {
		c, err := from.Accept()
		if err != nil {
			return
		}
		select {
		case slots <- struct{}{}:
			b.work.Go(func() {
				defer func() { c.Close(); <-slots }()
				serve(c)
			})
		default:
			c.Close()
		}
	}
}

// reportTouched tells of watched files that were opened.
func (b *Box) reportTouched() {
	buf := make([]byte, 4096)
	for {
		n, err := b.led.watch.Read(buf)
		if err != nil {
			return
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			wd := int(int32(binary.NativeEndian.Uint32(buf[at:])))
			opened := binary.NativeEndian.Uint32(buf[at+4:])&unix.IN_OPEN != 0 // not the end of the file system
			if opened && wd >= 1 && wd <= len(b.led.files) {
				b.tell(Event{Kind: Touch, Path: b.led.files[wd-1]})
			}
			at += unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buf[at+12:]))
		}
	}
}

// resolveDatagrams answers the resolver's questions over UDP.
func (b *Box) resolveDatagrams() {
	buf := make([]byte, 4096)
	for {
		n, from, err := b.led.udp.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer := b.asked(buf[:n]); answer != nil {
			_, _ = b.led.udp.WriteTo(answer, from)
		}
	}
}

// resolveStream answers them over TCP (RFC 7766).
func (b *Box) resolveStream(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(sinkPatience))
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, question); err != nil {
			return
		}
		answer := b.asked(question)
		if answer == nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// asked reports the name in a DNS question and answers it: an address that
// leads nowhere, of IPv4 alone.
func (b *Box) asked(message []byte) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(message)
	if err != nil || header.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	name := q.Name.String()
	b.tell(Event{Kind: Resolve, Name: name})
	reply := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: header.ID, Response: true, RecursionDesired: header.RecursionDesired, RecursionAvailable: true})
	if reply.StartQuestions() != nil || reply.Question(q) != nil || reply.StartAnswers() != nil {
		return nil
	}
	if addr, ok := b.led.addressOf(name); ok && q.Type == dnsmessage.TypeA {
		if reply.AResource(dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}, dnsmessage.AResource{A: addr.As4()}) != nil {
			return nil
		}
	}
	out, err := reply.Finish()
	if err != nil {
		return nil
	}
	return out
}

func (l *ledAstray) addressOf(name string) (netip.Addr, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a, ok := l.given[name]; ok {
		return a, true
	}
	if len(l.given) >= maxNames {
		return netip.Addr{}, false
	}
	a := firstAddress
	n := len(l.given)
	a[2], a[3] = byte(n/250), byte(n%250+1)
	addr := netip.AddrFrom4(a)
	l.given[name], l.names[addr] = addr, name
	return addr, true
}
