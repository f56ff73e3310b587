;; attack: A manifest that says command and a module without _start.
;; want: refused

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")

(@custom "bartizan.manifest" "{\"abi\":1,\"name\":\"hostile\",\"version\":\"1.0.0\",\"phases\":[\"listing\",\"request\",\"result\",\"prompt\",\"resource\"],\"encoding\":\"json\",\"form\":\"command\",\"call\":\"always\",\"rules\":[{\"id\":\"integrity.mild\",\"family\":\"integrity\",\"severity\":\"low\",\"taxonomy\":[],\"description\":\"A mild rule.\"}]}")
