;; Grows by a page as long as it may and writes there, then asks in vain.
(memory (export "memory") 1)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (local $at i32)
  (loop $l
    (local.set $at (memory.grow (i32.const 1)))
    (if (i32.ne (local.get $at) (i32.const -1))
      (then (i32.store (i32.mul (local.get $at) (i32.const 65536)) (i32.const 1))))
    (br $l))
  (i64.const 0))
