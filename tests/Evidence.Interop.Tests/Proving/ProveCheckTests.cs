using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Proving;

/// <summary>Proofs that one party makes and another checks, who has the file, a policy, and nothing else.</summary>
public sealed class ProveCheckTests : IDisposable
{
    private readonly EvidenceCommand keeper = new();
    private readonly EvidenceCommand checker = new();
    private readonly byte[] content = RandomNumberGenerator.GetBytes(700_000);

    public ProveCheckTests()
    {
        keeper.Json("init", "--origin", "vault.example/proving").Succeeds();
        File.WriteAllBytes(keeper.PathOf("disk"), content);
        keeper.Json("acquire", keeper.PathOf("disk"), "--item", "server-7", "--case", "2026-117").Succeeds();
        keeper.Json("note", "arrived with a broken seal", "--item", "server-7").Succeeds();
        keeper.Json("note", "of another thing", "--item", "server-8").Succeeds();
        keeper.Json("witness", "policy", "--output", checker.PathOf("policy")).Succeeds();
        // There is no vault where the checker is, and nothing that they ever saw.
        checker.Vault = checker.PathOf("none");
    }

    [Fact]
    public void An_entry_an_image_and_all_entries_of_an_item_are_proved()
    {
        keeper.Json("prove", "3", "--output", checker.PathOf("entry")).Succeeds();
        keeper.Json("prove", "server-7", "--output", checker.PathOf("image")).Succeeds();
        keeper.Json("log", "--item", "server-7", "--prove", checker.PathOf("item")).Succeeds();
        JsonElement[] proofs = [.. checker.Json("check", "entry", "image", "item", "--policy", "policy").Succeeds().Json.GetProperty("proofs").EnumerateArray()];
        Assert.All(proofs, proof => Assert.Equal(("proved", "vault.example/proving"), (proof.GetProperty("standing").GetString(), proof.GetProperty("origin").GetString())));
        Assert.Equal("3", Entries(proofs[0]));
        Assert.Equal("2", Entries(proofs[1]));
        Assert.Equal("2 3", Entries(proofs[2]));
        string image = keeper.Json("show", "server-7").Succeeds().Json.GetProperty("image").GetString()!;
        Assert.Equal([null, image, null], proofs.Select(proof => proof.GetProperty("image").GetString()), StringComparer.Ordinal);
        Assert.Equal("held", Assert.Single(proofs[2].GetProperty("custody").EnumerateArray()).GetProperty("state").GetString());
        string said = checker.Run("check", "item", "--policy", "policy").Succeeds().Text;
        Assert.StartsWith("PROVED  item", said, StringComparison.Ordinal);
        Assert.Contains("These are all the entries that concern server-7 among the first 5", said, StringComparison.Ordinal);
        Assert.False(Directory.Exists(checker.Vault));
    }

    [Theory]
    [InlineData("0+1", 0, 1)]
    [InlineData("4096+512", 4096, 512)]
    [InlineData("1KiB+600KiB", 1024, 600 << 10)]
    [InlineData("699999+1", 699_999, 1)]
    public void Bytes_of_an_image_are_proved_and_handed_out(string range, int offset, int length)
    {
        keeper.Json("prove", "server-7", "--range", range, "--output", checker.PathOf("range")).Succeeds();
        JsonElement proof = Assert.Single(checker.Json("check", "range", "--policy", "policy", "--extract", "bytes").Succeeds().Json.GetProperty("proofs").EnumerateArray());
        Assert.Equal((DecimalOf(offset), DecimalOf(length)), (proof.GetProperty("offset").GetString(), proof.GetProperty("length").GetString()));
        byte[] expected = content[offset..(offset + length)];
        Assert.Equal(expected, File.ReadAllBytes(checker.PathOf("bytes")));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(expected)), proof.GetProperty("sha256").GetString());
        // What is there is not written over.
        checker.Json("check", "range", "--policy", "policy", "--extract", "bytes").FailsWith(ErrorCode.DestinationInvalid);
        Assert.Equal(expected, File.ReadAllBytes(checker.PathOf("bytes")));
    }

    /// <summary>A range twice as long as all the memory that the command gets for objects.</summary>
    [Fact]
    public void A_long_range_takes_the_memory_of_a_segment()
    {
        const int Length = 128 << 20;
        SparseFile.Make(keeper.PathOf("large"), Length, (0, Length));
        keeper.Json("acquire", keeper.PathOf("large"), "--item", "large", "--digest", "none", "--no-verify").Succeeds();
        keeper.Environment["DOTNET_GCHeapHardLimit"] = checker.Environment["DOTNET_GCHeapHardLimit"] = "0x4000000";
        keeper.Json("prove", "large", "--range", $"0+{Length}", "--output", checker.PathOf("range")).Succeeds();
        checker.Json("check", "range", "--policy", "policy", "--extract", "bytes").Succeeds();
        Peer.Compare(keeper.PathOf("large"), checker.PathOf("bytes"));
    }

    [Fact]
    public void The_exit_code_tells_the_worst_of_several()
    {
        keeper.Json("prove", "server-7", "--range", "0+100", "--output", checker.PathOf("good")).Succeeds();
        byte[] bytes = File.ReadAllBytes(checker.PathOf("good"));
        bytes[bytes.Length / 2] ^= 4;
        File.WriteAllBytes(checker.PathOf("bad"), bytes);
        File.WriteAllText(checker.PathOf("nothing"), "no proof");
        checker.Json("check", "good", "--policy", "policy").Succeeds();
        Assert.Equal("proved refuted refuted", Standings(checker.Json("check", "good", "bad", "nothing", "--policy", "policy").Ends(3)));
        // Nobody's policy: it agrees with itself, and that is never 0.
        Assert.Equal("consistent", Standings(checker.Json("check", "good").Ends(4)));
        Assert.Equal("consistent refuted", Standings(checker.Json("check", "good", "bad").Ends(3)));
        // The bytes of what does not hold are not handed out.
        checker.Json("check", "bad", "--policy", "policy", "--extract", "bytes").Ends(3);
        Assert.False(File.Exists(checker.PathOf("bytes")));
        Assert.DoesNotContain(Directory.GetFiles(checker.Folder), file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void A_forger_who_ships_keys_of_his_own_stays_unknown()
    {
        using var forger = new EvidenceCommand();
        forger.Json("init", "--origin", "vault.example/proving").Succeeds();
        forger.Json("note", "it was empty", "--item", "server-7").Succeeds();
        forger.Json("prove", "2", "--output", checker.PathOf("forged")).Succeeds();
        CommandResult said = checker.Run("check", "forged", "--policy", "policy").Ends(4);
        Assert.Contains("signer unknown", said.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_call_is_told()
    {
        keeper.Json("prove", "3", "--output", checker.PathOf("entry")).Succeeds();
        keeper.Json("prove", "3", "--output", checker.PathOf("entry")).FailsWith(ErrorCode.DestinationInvalid);
        keeper.Json("prove", "99", "--output", checker.PathOf("other")).FailsWith(ErrorCode.Usage, 2);
        keeper.Json("prove", "server-7", "--range", "0+700001", "--output", checker.PathOf("other")).FailsWith(ErrorCode.Usage, 2);
        keeper.Json("prove", "server-9", "--output", checker.PathOf("other")).FailsWith(ErrorCode.ImageNotFound);
        checker.Json("check", "entry", "--policy", "policy", "--extract", "bytes").FailsWith(ErrorCode.Usage, 2);
        checker.Json("check", "entry", "entry", "--extract", "bytes").FailsWith(ErrorCode.Usage, 2);
        checker.Json("check", "absent").FailsWith(ErrorCode.InputOutput);
        checker.Json("check", "entry", "--policy", "absent").Ends(1);
        Assert.False(File.Exists(checker.PathOf("other")));
        Assert.False(File.Exists(checker.PathOf("bytes")));
    }

    public void Dispose()
    {
        keeper.Dispose();
        checker.Dispose();
    }

    private static string DecimalOf(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Entries(JsonElement proof) => string.Join(' ', proof.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("entry").GetString()));

    private static string Standings(CommandResult result) => string.Join(' ', result.Json.GetProperty("proofs").EnumerateArray().Select(proof => proof.GetProperty("standing").GetString()));
}
