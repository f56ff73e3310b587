package tck

import (
	"bytes"
	"errors"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/sandbox"
)

// initial starts the scanner without a configuration.
func (k *kit) initial() bool {
	k.pass("init.empty")
	err := k.scanner.Warm(k.ctx)
	if err == nil {
		return true
	}
	if k.ctx.Err() == nil {
		k.blame("init.empty", "at its start", err)
	}
	return false
}

// allocation asks for room of many sizes, and for more than there can be.
func (k *kit) allocation() {
	if k.command() {
		k.skipAll("a command is not asked for room", "alloc.aligned", "alloc.inside", "alloc.room", "alloc.huge")
		return
	}
	for _, size := range []uint32{1, 2, 3, 7, 8, 9, 15, 16, 17, 88, 100, 4095, 4096, 4097, 65535, 65537, 1 << 20, 3<<20 + 5} {
		_, err := k.scanner.ProbeAlloc(k.ctx, size)
		for _, id := range []string{"alloc.aligned", "alloc.inside", "alloc.room"} {
			k.pass(id)
		}
		if err != nil {
			k.blame("alloc.room", "asked for room", err)
		}
	}
	for _, size := range []uint32{64 << 20, 64<<20 + 1, 1 << 30, 1<<31 - 8, 1 << 31, 1<<32 - 65536, 1<<32 - 9, 1<<32 - 1} {
		k.pass("alloc.huge")
		room, err := k.scanner.ProbeAlloc(k.ctx, size)
		var fault *sandbox.Fault
		switch {
		case err == nil || k.ctx.Err() != nil: // given, which is as good
		case !errors.As(err, &fault):
			k.err = err
		case fault.Breach == sandbox.RoomOutside || fault.Breach == sandbox.Misaligned:
			k.fail("alloc.huge", "%d bytes: address %d in a memory of %d; 0 says that there is no room", size, room.At, room.Memory)
		case fault.Kind == sandbox.Fuel || fault.Kind == sandbox.Deadline:
			k.fail("alloc.huge", "%d bytes: %s", size, fault)
		}
	}
}

// configurations starts the scanner with some, each of which it may refuse.
func (k *kit) configurations() {
	if k.point("export.init").Outcome != Pass {
		k.skipAll("it takes no configuration", "init.config", "init.garbage")
		return
	}
	valid := k.opts.Config
	if len(valid) == 0 {
		valid = []byte("{}")
	}
	k.configured("init.config", valid, len(k.opts.Config) > 0)
	for _, garbage := range [][]byte{
		[]byte("{"), []byte("null"), []byte(`{"rules":[1e999,"\ud800"]}`), {0}, {0xff, 0xfe, 0xfd},
		bytes.Repeat([]byte("["), 64<<10), bytes.Repeat([]byte{0x80}, 4097), []byte(`"` + string(bytes.Repeat([]byte("a"), 256<<10)) + `"`),
	} {
		k.configured("init.garbage", garbage, false)
	}
}

func (k *kit) configured(id string, config []byte, wanted bool) {
	s, err := k.engine.Load(k.ctx, k.wasm, engine.Options{Config: config})
	if err != nil {
		if k.ctx.Err() == nil {
			k.err = err
		}
		return
	}
	defer s.Close(k.ctx)
	err = s.Warm(k.ctx)
	if k.ctx.Err() != nil {
		return
	}
	k.pass(id)
	var fault *sandbox.Fault
	switch {
	case err == nil:
	case errors.As(err, &fault) && fault.Breach == sandbox.InitRefused && !wanted:
	default:
		k.blame(id, "a configuration of "+decimal(len(config))+" bytes", err)
	}
}
