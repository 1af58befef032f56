using System.Text.Json.Nodes;
using Evidence.Acquisition;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>Signs of encryption are looked for in what was imaged, and what was not read is not taken for zeros.</summary>
[Trait("Requirement", "SRC-1")]
public sealed class EncryptionOfImageTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly TestVault place = new();

    [Fact]
    public async Task SRC_1_what_could_not_be_read_is_said_not_to_have_been_looked_at()
    {
        byte[] disk = TestBytes.Random(4 * MiB, 1);
        disk.AsSpan(446, 64).Clear();
        Disks.BootEntry(disk, 0, Disks.Linux, 2048, 2048);
        Disks.BootEntry(disk, 1, Disks.Linux, 4096, 2048);
        foreach (int at in (int[])[MiB, 2 * MiB])
            ((ReadOnlySpan<byte>)[0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE, 0, 2]).CopyTo(disk.AsSpan(at));
        using Vault vault = place.Create();
        using var source = new FailingSource(disk) { BadSectors = [2049, 5000] };
        AcquisitionResult result = await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop);
        Assert.Equal(1024, result.Manifest.Absent.Sum(range => range.Length));

        JsonObject found = result.Manifest.Source;
        Assert.Equal(("luks2", $"{2 * MiB}"), TextOf(Assert.Single(found["encryption"]!.AsArray())!, "scheme"));
        Assert.Equal(("It could not be read.", $"{MiB}"), TextOf(Assert.Single(found["encryptionNotLookedAt"]!.AsArray())!, "reason"));
    }

    public void Dispose() => place.Dispose();

    private static (string Text, string Offset) TextOf(JsonNode node, string name) => (node[name]!.GetValue<string>(), node["offset"]!.GetValue<string>());
}
