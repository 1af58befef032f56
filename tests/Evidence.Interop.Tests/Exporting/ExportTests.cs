using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Exporting;

public sealed class ExportTests : IDisposable
{
    private const int Size = (9 << 20) + 333;

    private readonly EvidenceCommand evidence = new();
    private readonly string disk;

    public ExportTests()
    {
        byte[] content = RandomNumberGenerator.GetBytes(Size);
        content.AsSpan(1 << 20, 1 << 20).Clear();
        content.AsSpan(3 << 20, 1 << 20).Fill(0xFF);
        disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, content);
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
    }

    [Theory]
    [InlineData("0+0", 0, 0)]
    [InlineData("0+1", 0, 1)]
    [InlineData("1MiB+64KiB", 1 << 20, 65_536)]
    [InlineData("1048575+2", 1_048_575, 2)]
    [InlineData("3145727+1048578", 3_145_727, 1_048_578)]
    [InlineData("8MiB+1048909", 8 << 20, 1_048_909)]
    [InlineData("9437516+1", Size - 1, 1)]
    [InlineData("9437517+0", Size, 0)]
    public void A_range_is_what_dd_cuts_out(string range, int offset, int length)
    {
        Peer.Require("dd");
        string cut = evidence.PathOf("cut");
        Peer.Run("dd", $"if={disk}", $"of={cut}", "iflag=skip_bytes,count_bytes", $"skip={offset}", $"count={length}", "status=none");
        byte[] expected = File.ReadAllBytes(cut);
        Assert.Equal(expected, evidence.Run("export", "disk", "--output", "-", "--range", range).Succeeds().Output);
        string file = evidence.PathOf("range");
        JsonElement exported = evidence.Json("export", "disk", "--output", file, "--range", range).Succeeds().Json;
        Assert.Equal(expected, File.ReadAllBytes(file));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(expected)), exported.GetProperty("sha256").GetString());
    }

    [Theory]
    [InlineData("9437517+1")]
    [InlineData("0+9437518")]
    [InlineData("9223372036854775807+1")]
    [InlineData("1+9223372036854775807")]
    [InlineData("8388608TiB+1")]
    [InlineData("-1+1")]
    [InlineData("1")]
    [InlineData("+")]
    [InlineData("1+2+3")]
    [InlineData("1.5MiB+1")]
    public void A_range_that_is_none_is_a_mistake_of_usage(string range)
    {
        string file = evidence.PathOf("range");
        evidence.Json("export", "disk", "--output", file, $"--range={range}").FailsWith("usage", 2);
        Assert.Empty(Directory.EnumerateFiles(evidence.Folder, "range*"));
    }

    [Fact]
    public void A_file_that_exists_is_not_written_over()
    {
        string file = evidence.PathOf("precious");
        File.WriteAllText(file, "precious");
        string message = evidence.Json("export", "disk", "--output", file).FailsWith("destination-invalid");
        Assert.Contains(file, message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(file));
        File.Delete(file);
        File.CreateSymbolicLink(file, evidence.PathOf("elsewhere"));
        evidence.Json("export", "disk", "--output", file).Ends(1);
        Assert.False(File.Exists(evidence.PathOf("elsewhere")));
        Assert.Empty(Directory.EnumerateFiles(evidence.Folder, "*.part"));
    }

    [Theory]
    [InlineData("missing/file", "io-error")]
    [InlineData(".", "destination-invalid")]
    [InlineData("/dev/null", "destination-invalid")]
    public void A_destination_that_cannot_be_is_refused(string destination, string code)
    {
        string path = destination.StartsWith('/') ? destination : evidence.PathOf(destination);
        string message = evidence.Json("export", "disk", "--output", path).FailsWith(code);
        Assert.Contains(Path.GetFullPath(path), message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Requirement", "OUT-5")]
    public void A_reader_that_goes_away_is_told_and_nothing_is_recorded_as_handed_out()
    {
        CommandResult result = evidence.RunInShell("\"$@\" | head -c 1 > first; exit ${PIPESTATUS[0]}", "export", "disk", "--output", "-");
        result.Ends(1);
        Assert.Contains("Broken pipe", result.Errors, StringComparison.Ordinal);
        Assert.Equal(1, new FileInfo(evidence.PathOf("first")).Length);
        Assert.Empty(evidence.Json("log", "--kind", "export").Succeeds().Json.GetProperty("entries").EnumerateArray());
    }

    [Fact]
    public void Exports_into_one_file_follow_one_another()
    {
        evidence.RunInShell("{ \"$@\" 0+1000; \"$@\" 1000+1000; } > both", "export", "disk", "--output", "-", "--range").Succeeds();
        Assert.Equal(File.ReadAllBytes(disk)[..2000], File.ReadAllBytes(evidence.PathOf("both")));
    }

    [Fact]
    public void A_full_standard_output_is_a_full_disk()
    {
        CommandResult result = evidence.RunInShell("\"$@\" > /dev/full", "export", "disk", "--output", "-").Ends(1);
        Assert.Contains("no room", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_and_the_image_cannot_share_standard_output() =>
        evidence.Json("export", "disk", "--output", "-").FailsWith("usage", 2);

    [Fact]
    public void An_image_that_is_not_there_is_told()
    {
        Assert.Contains("'nobody'", evidence.Json("export", "nobody", "--output", evidence.PathOf("x")).FailsWith("image-not-found"), StringComparison.Ordinal);
        evidence.Json("show", "nobody").FailsWith("image-not-found");
        evidence.Json("verify", "nobody").FailsWith("image-not-found");
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        evidence.Json("show", "disk").FailsWith("image-ambiguous");
    }

    public void Dispose() => evidence.Dispose();
}
