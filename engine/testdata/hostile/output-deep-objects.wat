;; attack: Answers with 12,000 objects within each other.
;; want: output

(memory (export "memory") 4)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (local $n i32)
  (loop $again
    (i64.store (i32.add (i32.const 131072) (i32.mul (local.get $n) (i32.const 5))) (i64.load (i32.const 2048)))
    (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 12000))))
  (i64.const 0x2_0000_0000_ea60))

(data (i32.const 2048) "{\"a\":")
