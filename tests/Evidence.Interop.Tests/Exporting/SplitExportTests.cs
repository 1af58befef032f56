using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Exporting;

public sealed class SplitExportTests : IDisposable
{
    private const int Size = (3 << 20) + 333;

    private readonly EvidenceCommand evidence = new();
    private readonly string disk;
    private readonly byte[] content = RandomNumberGenerator.GetBytes(Size);

    public SplitExportTests()
    {
        content.AsSpan(1 << 20, 1 << 20).Clear();
        disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, content);
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
    }

    [Theory]
    [InlineData("1MiB", "out.001", 4, "out.004")]
    [InlineData("3146061", "out.000", 1, "out.000")]
    [InlineData("3146060", "out.000", 2, "out.001")]
    [InlineData("3146062", "out.001", 1, "out.001")]
    [InlineData("1573031", "out.0001", 2, "out.0002")]
    [InlineData("3000", "out.001", 1049, "out.1049")]
    [Trait("Requirement", "OUT-2")]
    [Trait("Requirement", "OUT-3")]
    public void Parts_have_the_size_and_the_names_asked_for_and_come_in_again_as_they_were(string size, string first, int count, string last)
    {
        JsonElement exported = evidence.Json("export", "disk", "--output", evidence.PathOf(first), "--split", size).Succeeds().Json;
        string[] files = [.. exported.GetProperty("files").EnumerateArray().Select(f => f.GetString()!)];
        Assert.Equal(count, files.Length);
        Assert.Equal(evidence.PathOf(last), files[^1]);
        Assert.Equal(files.Order(StringComparer.Ordinal), Directory.GetFiles(evidence.Folder, "out.*").Order(StringComparer.Ordinal), StringComparer.Ordinal);
        long part = size == "1MiB" ? 1 << 20 : long.Parse(size, null);
        Assert.All(files[..^1], f => Assert.Equal(part, new FileInfo(f).Length));
        Assert.Equal(content, files.SelectMany(File.ReadAllBytes));
        Assert.Empty(Directory.GetDirectories(evidence.Folder, "out*"));

        JsonElement root = evidence.Json("show", "disk").Succeeds().Json.GetProperty("manifest").GetProperty("map").GetProperty("root");
        JsonElement again = evidence.Json("acquire", files[0], "--item", "again", "--read-holes").Succeeds().Image();
        Assert.Equal(root.GetString(), again.GetProperty("root").GetString());
    }

    [Theory]
    [InlineData("out.001")]
    [InlineData("out.003")]
    [InlineData("out.000")]
    [InlineData("out.005")]
    public void Files_that_would_be_taken_for_parts_are_not_mixed_with(string there)
    {
        File.WriteAllText(evidence.PathOf(there), "precious");
        string message = evidence.Json("export", "disk", "--output", evidence.PathOf("out.001"), "--split", "1MiB").FailsWith("destination-invalid");
        Assert.Contains(there, message, StringComparison.Ordinal);
        Assert.Equal([evidence.PathOf(there)], Directory.EnumerateFileSystemEntries(evidence.Folder, "out*"), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("out.img", "1MiB")]
    [InlineData("out.002", "1MiB")]
    [InlineData("out.01", "1MiB")]
    [InlineData("out.001", "0")]
    [InlineData("out.001", "2")]
    [InlineData("-", "1MiB")]
    public void What_cannot_be_split_so_is_a_mistake_of_usage(string output, string size)
    {
        evidence.Json("export", "disk", "--output", output == "-" ? output : evidence.PathOf(output), "--split", size).Ends(2);
        Assert.Empty(Directory.EnumerateFileSystemEntries(evidence.Folder, "out*"));
    }

    public void Dispose() => evidence.Dispose();
}
