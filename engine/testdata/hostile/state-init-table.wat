;; attack: Changes a table in bartizan_init and back in bartizan_scan: what init did must be there at every call.
;; want: complete

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (if (ref.is_null (table.get $t (i32.const 0))) (then (return (i64.const 0x800_0000_008e))))
  (table.set $t (i32.const 0) (ref.null func))
  (i64.const 0x400_0000_0023))

(data (i32.const 2048) "{\"status\":\"complete\",\"findings\":[{\"rule\":\"integrity.remembered\",\"severity\":\"high\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"\"}]}")
(table $t 1 funcref)
(func $mark)
(elem declare func $mark)
(func (export "bartizan_init") (param i32 i32) (result i32)
  (table.set $t (i32.const 0) (ref.func $mark))
  (i32.const 0))
