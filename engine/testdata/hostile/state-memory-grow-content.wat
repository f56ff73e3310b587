;; attack: Remembers in a page that it grew, and grows it again: new pages are zero.
;; want: complete

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (drop (memory.grow (i32.const 1)))
  (if (i32.load (i32.const 131080)) (then (return (i64.const 0x800_0000_008e))))
  (i32.store (i32.const 131080) (i32.const 1))
  (i64.const 0x400_0000_0023))

(data (i32.const 2048) "{\"status\":\"complete\",\"findings\":[{\"rule\":\"integrity.remembered\",\"severity\":\"high\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"\"}]}")
