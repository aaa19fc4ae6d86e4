exec java
