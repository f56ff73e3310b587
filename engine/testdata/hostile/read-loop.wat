;; attack: Reads standard input until something comes.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack
  (i32.store (i32.const 16) (i32.const 4096))
  (i32.store (i32.const 20) (i32.const 4096))
  (loop $again
    (drop (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)))
    (br_if $again (i32.eqz (i32.load (i32.const 24))))))
