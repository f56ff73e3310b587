;; attack: Returns a pointer and a length whose sum is exactly 2^32.
;; want: output

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (i64.const 0xffff_fff0_0000_0010))
