;; attack: Allocation returns 0, which is a fault.
;; want: output

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param $len i32) (result i32)
  (i32.const 0))
(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x400_0000_0023))
