package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
    @Test
    void whatRunsIsShown() {
        JsonObject json = Run.of("doctor", "--threads", "2", "--json").json();
        JsonObject kernels = json.getAsJsonObject("kernels");
        assertThat(kernels.get("isa").getAsString())
                .isIn("portable", "avx2", "avx2-vnni", "avx512", "avx512-vnni", "avx512-bf16", "avx512-amx");
        assertThat(kernels.get("threads_asked").getAsInt()).isEqualTo(2);
        assertThat(kernels.get("threads_running").getAsInt()).isEqualTo(2);
        assertThat(json.getAsJsonArray("missing")).isEmpty();
        assertThat(json.get("java").getAsString()).contains(Runtime.version().toString());
        assertThat(json.getAsJsonArray("libraries").toString())
                .contains("libgemma_kernels.so", "libgomp.so.1", "libdnnl");
    }

    @Test
    void everyBackendIsTried() {
        JsonObject json = Run.of("doctor", "--threads", "2", "--json").json();
        for (String name : new String[] {"onednn", "openblas"}) {
            JsonObject backend = backend(json, name);
            assertThat(backend.get("usable").getAsBoolean()).isTrue();
            assertThat(backend.get("threads").getAsInt()).isEqualTo(2);
            assertThat(backend.get("version").getAsString()).containsPattern("\\d\\.\\d+");
        }
        assertThat(backend(json, "mkl").get("usable")).isNotNull();
    }

    @Test
    void theReportIsForPeople() {
        Run run = Run.of("doctor");
        assertThat(run.code()).isZero();
        assertThat(run.out())
                .contains(
                        "platform   Linux",
                        " running; ",
                        "memory     ",
                        "  onednn    oneDNN ",
                        " (in use)\n",
                        "libgemma_kernels.so");
        assertThat(run.err()).isEmpty();
    }

    @Test
    void aBackendThatIsNeededAndMissingIsAFailureThatSaysWhatToDo() {
        Run run = Run.of("doctor", "--backend", "cblas:/nowhere/libblas.so");
        assertThat(run.code()).isEqualTo(Failures.FAILED);
        assertThat(run.err()).contains("the backend cblas:/nowhere/libblas.so is missing", "/nowhere/libblas.so");
        assertThat(run.out()).contains("not here", "  onednn    oneDNN ");
    }

    private static JsonObject backend(JsonObject json, String name) {
        return json.getAsJsonArray("backends").asList().stream()
                .map(JsonElement::getAsJsonObject)
                .filter(one -> one.get("name").getAsString().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
