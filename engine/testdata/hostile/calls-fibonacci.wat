;; attack: Recursion only 90 deep that calls itself twice at every level.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $fibonacci (param $n i32) (result i64)
  (if (result i64) (i32.lt_u (local.get $n) (i32.const 2))
    (then (i64.const 1))
    (else (i64.add
      (call $fibonacci (i32.sub (local.get $n) (i32.const 1)))
      (call $fibonacci (i32.sub (local.get $n) (i32.const 2)))))))
(func $attack (drop (call $fibonacci (i32.const 90))))
