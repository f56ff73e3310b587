;; attack: A loop that leaves by return only when a number that is never reached is reached.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (local $n i64)
  (loop $again
    (local.set $n (i64.add (local.get $n) (i64.const 2)))
    (if (i64.eq (local.get $n) (i64.const 1)) (then (return)))
    (br $again)))
