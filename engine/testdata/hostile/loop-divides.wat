;; attack: A loop of the slowest arithmetic there is: division, square roots, remainders.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (local $n i64) (local $x f64)
  (loop $again
    (local.set $n (i64.add (local.get $n) (i64.const 3)))
    (local.set $x (f64.sqrt (f64.div (f64.convert_i64_u (local.get $n)) (f64.const 0x1.8p-3))))
    (drop (i64.rem_s (i64.div_u (i64.const -1) (local.get $n)) (i64.or (local.get $n) (i64.const 1))))
    (br $again)))
