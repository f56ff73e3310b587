;; attack: Sleeps for an hour.
;; want: complete
;; in: scan alloc init _initialize start

(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack
  (i32.store (i32.const 4112) (i32.const 1))                   ;; the monotonic clock
  (i64.store (i32.const 4120) (i64.const 3_600_000_000_000))   ;; nanoseconds
  (drop (call $poll (i32.const 4096) (i32.const 8192) (i32.const 1) (i32.const 16))))
