;; attack: Takes as much memory as it gets and writes to every page of it, then answers as if nothing were.
;; want: complete
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (local $at i32)
  (loop $again
    (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
  (loop $touch
    (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) (i64.const 0)))
    (i32.store8 offset=4095 (local.get $at) (i32.const 255))
    (br_if $touch (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096))) (i32.shl (memory.size) (i32.const 16))))))
