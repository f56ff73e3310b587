;; attack: Remembers in one byte of every page, of which one that is not reset is enough.
;; want: complete

(memory (export "memory") 68)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (local $at i32)
  (local.set $at (i32.const 131072))
  (loop $again
    (if (i32.load8_u offset=77 (local.get $at)) (then (return (i64.const 0x800_0000_008e))))
    (i32.store8 offset=77 (local.get $at) (i32.const 1))
    (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096))) (i32.const 4325376))))
  (i64.const 0x400_0000_0023))

(data (i32.const 2048) "{\"status\":\"complete\",\"findings\":[{\"rule\":\"integrity.remembered\",\"severity\":\"high\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"\"}]}")
