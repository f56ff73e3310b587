;; attack: Allocation grows the memory and returns the new page: the size is read anew after the call.
;; want: complete

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param $len i32) (result i32)
  (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x400_0000_0023))
