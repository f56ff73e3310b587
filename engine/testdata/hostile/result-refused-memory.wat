;; attack: Returns an answer in memory that it asked for and did not get.
;; want: output|memory

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (drop (memory.grow (i32.const 60000)))
  (i64.const 0x1000_0000_0000_0023))
