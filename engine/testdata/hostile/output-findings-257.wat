;; attack: Answers with 257 findings.
;; want: output

(memory (export "memory") 4)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (local $n i32)
  (memory.copy (i32.const 131072) (i32.const 2048) (i32.const 33))
  (loop $again
    (memory.copy
      (i32.add (i32.const 131105) (i32.mul (local.get $n) (i32.const 88)))
      (i32.const 2304) (i32.const 88))
    (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 257))))
  (i32.store16 (i32.const 153720) (i32.const 0x7d5d)) ;; ]}
  (i64.const 0x2_0000_0000_587a))

(data (i32.const 2048) "{\"status\":\"complete\",\"findings\":[")
(data (i32.const 2304) "{\"rule\":\"a\",\"severity\":\"low\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"\"},")
