import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A service of Spring Boot with one path, Actuator and Prometheus: where it serves what the charts configure. */
@EnableAutoConfiguration
@RestController
public class Judge {
  @GetMapping("/api")
  public String api() {
    return "api";
  }

  public static void main(String[] arguments) {
    SpringApplication.run(Judge.class, arguments);
  }
}
