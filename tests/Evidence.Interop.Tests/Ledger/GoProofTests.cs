using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Evidence.Hashing;
using Evidence.Tests.Hashing;
using Xunit;

namespace Evidence.Interop.Tests.Ledger;

/// <summary>Go's golang.org/x/mod/sumdb/tlog and this library say the same of every proof, right or wrong.</summary>
public sealed class GoProofTests
{
    private static readonly long[] Sizes =
    [
        1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 65_535, 65_536, 65_537, 1_000_003, (1L << 40) + 12_345, (1L << 61) - 1, 1L << 61, (1L << 61) + 1, (1L << 62) - 1,
    ];

    private readonly StringBuilder questions = new();
    private readonly List<bool> answers = [];
    private readonly int seed = RandomNumberGenerator.GetInt32(int.MaxValue);

    [Fact]
    public async Task Go_accepts_our_proofs_and_refuses_what_we_refuse()
    {
        string checker = await GoProgram.BuildAsync("checkproofs");
        var random = new Random(seed);
        foreach (long size in Sizes)
        {
            var tree = new SparseTree(0, size / 2, size - 1, random.NextInt64(size));
            Sha256Digest root = MerkleProof.Root(size, tree.Subtree);
            foreach (long place in ((long[])[0, size - 1, size / 2, size / 3, random.NextInt64(size), random.NextInt64(size)]).Distinct())
            {
                Ask(random, MerkleProof.ProveInclusion(place, size, tree.Subtree), proof => Inclusion(size, root, place, tree.Leaf(place), proof));
                Sha256Digest oldRoot = MerkleProof.Root(place + 1, tree.Subtree);
                Ask(random, MerkleProof.ProveConsistency(place + 1, size, tree.Subtree), proof => Consistency(size, root, place + 1, oldRoot, proof));
            }
        }

        Assert.Contains(true, answers);
        Assert.Contains(false, answers);
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, questions.ToString(), TestContext.Current.CancellationToken);
            (int exitCode, string output) = await Peer.RunAsync(checker, [file], AppContext.BaseDirectory);
            Assert.True(exitCode == 0, output);
            string[] theirs = output.TrimEnd().Split('\n');
            string[] asked = questions.ToString().TrimEnd().Split('\n');
            Assert.Equal(answers.Count, theirs.Length);
            for (int i = 0; i < theirs.Length; i++)
                Assert.True(string.Equals(answers[i] ? "yes" : "no", theirs[i], StringComparison.Ordinal), $"seed {seed}: Go says {theirs[i]} to {asked[i]}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Asks about the proof as it is, and about some that are not quite it.</summary>
    private void Ask(Random random, Sha256Digest[] proof, Action<Sha256Digest[]> ask)
    {
        ask(proof);
        Assert.True(answers[^1]);
        Sha256Digest noise = MerkleTree.LeafHash(BitConverter.GetBytes(random.Next()));
        ask([.. proof, noise]);
        if (proof.Length == 0)
            return;
        int at = random.Next(proof.Length);
        ask([.. proof[..at], .. proof[(at + 1)..]]);
        ask([.. proof[..at], noise, .. proof[(at + 1)..]]);
        ask([.. proof.AsEnumerable().Reverse()]);
    }

    private void Inclusion(long size, Sha256Digest root, long index, Sha256Digest leaf, Sha256Digest[] proof) =>
        Ask("inclusion", size, root, index, leaf, proof, MerkleProof.VerifyInclusion(index, size, leaf, proof, root));

    private void Consistency(long size, Sha256Digest root, long old, Sha256Digest oldRoot, Sha256Digest[] proof) =>
        Ask("consistency", size, root, old, oldRoot, proof, MerkleProof.VerifyConsistency(old, oldRoot, size, root, proof));

    private void Ask(string what, long size, Sha256Digest root, long place, Sha256Digest other, Sha256Digest[] proof, bool answer)
    {
        answers.Add(answer);
        questions.Append(CultureInfo.InvariantCulture, $"{what} {size} {Text(root)} {place} {Text(other)} {string.Join(' ', proof.Select(Text))}\n");
    }

    private static string Text(Sha256Digest hash) => Convert.ToBase64String(hash.ToArray());
}
