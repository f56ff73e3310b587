;; attack: Sleeps for a second, for ever.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack
  (i32.store (i32.const 4112) (i32.const 1))
  (i64.store (i32.const 4120) (i64.const 1_000_000_000))
  (loop $again
    (drop (call $poll (i32.const 4096) (i32.const 8192) (i32.const 1) (i32.const 16)))
    (br $again)))
