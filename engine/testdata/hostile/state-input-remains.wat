;; attack: Looks behind its input for what an earlier, longer input left there.
;; want: complete
;; setup: tenants send texts of different lengths

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (local $at i32)
  (local.set $at (i32.add (local.get $ptr) (local.get $len)))
  (loop $again
    (if (i32.load8_u (local.get $at)) (then (return (i64.const 0x800_0000_008e))))
    (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 131072))))
  (i64.const 0x400_0000_0023))

(data (i32.const 2048) "{\"status\":\"complete\",\"findings\":[{\"rule\":\"integrity.remembered\",\"severity\":\"high\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"\"}]}")
