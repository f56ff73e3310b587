;; attack: fd_write that wants its result near 4 GiB.
;; want: complete
;; in: scan alloc init _initialize start

(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0xfffffffe))))
