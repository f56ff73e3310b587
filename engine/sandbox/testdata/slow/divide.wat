;; 64-bit divisions, each waiting for the one before.
(memory (export "memory") 1)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (local $x i64)
  (local.set $x (i64.const -3))
  (loop $l
    (local.set $x (i64.or (i64.const 0x7000000000000001)
      (i64.div_u (i64.const -1) (i64.rem_s (local.get $x) (i64.const 0x123456789)))))
    (br $l))
  (local.get $x))
