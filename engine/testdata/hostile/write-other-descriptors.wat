;; attack: Writes to descriptors 0 and 3 to 1,000, which are not open.
;; want: complete
;; in: scan alloc init _initialize start

(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (local $fd i32)
  (loop $again
    (if (i32.and (i32.ne (local.get $fd) (i32.const 1)) (i32.ne (local.get $fd) (i32.const 2)))
      (then (if (i32.eqz (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))) (then (unreachable)))))
    (br_if $again (i32.lt_u (local.tee $fd (i32.add (local.get $fd) (i32.const 1))) (i32.const 1000)))))
