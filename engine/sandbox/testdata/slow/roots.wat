;; Square roots and divisions of doubles, each waiting for the one before.
(memory (export "memory") 1)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (local $x f64)
  (local.set $x (f64.const 2))
  (loop $l
    (local.set $x (f64.sqrt (f64.div (f64.sqrt (f64.add (local.get $x) (f64.const 3.7))) (local.get $x))))
    (local.set $x (f64.add (f64.nearest (local.get $x)) (f64.abs (f64.const 1e-310))))
    (br $l))
  (i64.const 0))
