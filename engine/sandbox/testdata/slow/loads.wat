;; Loads all over 48 MiB, each from a place that no cache holds.
(memory (export "memory") 768)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (local $x i32) (local $sum i64)
  (local.set $x (i32.const 12345))
  (loop $l
    (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
    (local.set $sum (i64.add (local.get $sum)
      (i64.load (i32.rem_u (local.get $x) (i32.const 50000000)))))
    (br $l))
  (local.get $sum))
