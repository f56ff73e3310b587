;; attack: Allocation returns -1 as memory.grow gave it.
;; want: output|memory

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param $len i32) (result i32)
  (memory.grow (i32.const 65535)))
(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x400_0000_0023))
