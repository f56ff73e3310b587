;; attack: Polls 160,000 subscriptions in a loop.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 126)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack
  (loop $again
    (drop (call $poll (i32.const 131072) (i32.const 131072) (i32.const 160_000) (i32.const 16)))
    (br $again)))
