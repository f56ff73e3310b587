;; attack: Exports no bartizan_alloc.
;; want: refused

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x400_0000_0023))
