using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Acquiring;

public sealed class StreamTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_537)]
    [InlineData((12 << 20) + 511)]
    [Trait("Requirement", "ACQ-1")]
    public void Standard_input_is_imaged_to_its_end(int length)
    {
        byte[] content = RandomNumberGenerator.GetBytes(length);
        using RunningProcess running = evidence.Start("--json", "acquire", "-", "--item", "piped");
        // In pieces that meet no boundary.
        for (int done = 0; done < length; done += 70_001)
            running.Input.Write(content.AsSpan(done, Math.Min(70_001, length - done)));
        JsonElement image = running.Wait().Succeeds().Image();
        Assert.Equal("-", image.GetProperty("source").GetString());
        HasContent(image, content);
    }

    [Fact]
    [Trait("Requirement", "ACQ-1")]
    public void A_file_as_standard_input_is_read_from_where_it_stands()
    {
        Peer.Require("dd");
        byte[] content = RandomNumberGenerator.GetBytes(1 << 20);
        File.WriteAllBytes(evidence.PathOf("disk.img"), content);
        CommandResult result = evidence.RunInShell(
            "{ dd bs=1000 count=1 of=/dev/null status=none; \"$@\"; } < disk.img", "--json", "acquire", "-", "--item", "piped");
        HasContent(result.Succeeds().Image(), content[1000..]);
    }

    [Fact]
    [Trait("Requirement", "ACQ-1")]
    public void A_named_pipe_is_imaged_to_its_end()
    {
        Peer.Require("mkfifo");
        byte[] content = RandomNumberGenerator.GetBytes(5_000_003);
        string pipe = evidence.PathOf("pipe");
        Peer.Run("mkfifo", pipe);
        using RunningProcess running = evidence.Start("--json", "acquire", pipe);
        using (var writer = new FileStream(pipe, FileMode.Open, FileAccess.Write))
            writer.Write(content);
        JsonElement image = running.Wait().Succeeds().Image();
        Assert.Equal("pipe", image.GetProperty("item").GetString());
        HasContent(image, content);
    }

    [Fact]
    public void Standard_input_twice_is_a_mistake_and_makes_no_vault()
    {
        evidence.Json("acquire", "-", "-").FailsWith("usage", 2);
        Assert.False(Directory.Exists(evidence.Vault));
    }

    public void Dispose() => evidence.Dispose();

    private void HasContent(JsonElement image, byte[] content)
    {
        Assert.Equal($"{content.Length}", image.GetProperty("size").GetString());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), image.GetProperty("digests").GetProperty("sha256").GetString());
        string export = evidence.PathOf("export.img");
        evidence.Run("export", image.GetProperty("item").GetString()!, "--output", export).Succeeds();
        Assert.Equal(content, File.ReadAllBytes(export));
        evidence.VerifyAll();
        evidence.LeavesNothingBehind();
    }
}
