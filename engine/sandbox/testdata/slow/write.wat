;; Writes thousands of buffers in one call, megabytes together.
(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 1000)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (local $i i32)
  (loop $v
    (i32.store (i32.mul (local.get $i) (i32.const 8)) (i32.const 1000000))
    (i32.store offset=4 (i32.mul (local.get $i) (i32.const 8)) (i32.const 60000))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $v (i32.lt_u (local.get $i) (i32.const 50000))))
  (loop $l
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 50000) (i32.const 900000)))
    (br $l))
  (i64.const 0))
