;; attack: fd_read into a million empty vectors in a loop.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 126)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack
  (loop $again
    (drop (call $read (i32.const 0) (i32.const 131072) (i32.const 1_000_000) (i32.const 8)))
    (br $again)))
